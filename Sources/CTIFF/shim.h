// libtiff for Swift: its variadic calls, and its messages kept per file instead of printed.
#ifndef TFS_CTIFF_SHIM_H
#define TFS_CTIFF_SHIM_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <tiffio.h>

/// The first error of one open file. Later ones follow from it.
typedef struct {
  char text[240];
} tfs_tiff_message;

static inline const char *tfs_tiff_message_text(const tfs_tiff_message *message) {
  return message->text;
}

static int tfs_tiff_keep_first(TIFF *tiff, void *context, const char *module, const char *format,
                               va_list arguments) {
  tfs_tiff_message *message = (tfs_tiff_message *)context;
  (void)tiff;
  (void)module;
  if (message->text[0] == 0) vsnprintf(message->text, sizeof message->text, format, arguments);
  return 1;  // handled: libtiff must not print it
}

static int tfs_tiff_ignore(TIFF *tiff, void *context, const char *module, const char *format,
                           va_list arguments) {
  (void)tiff;
  (void)context;
  (void)module;
  (void)format;
  (void)arguments;
  return 1;
}

static tmsize_t tfs_tiff_refuse_write(thandle_t context, void *bytes, tmsize_t count) {
  (void)context;
  (void)bytes;
  (void)count;
  return -1;
}

static int tfs_tiff_leave_open(thandle_t context) {
  (void)context;
  return 0;
}

/// Opens a TIFF for reading through callbacks. `context` and `message` stay the caller's and must
/// outlive the handle. No single allocation of libtiff's own exceeds `largest_allocation` bytes.
/// Close with TIFFClose.
static inline TIFF *tfs_tiff_open(thandle_t context, TIFFReadWriteProc read, TIFFSeekProc seek,
                                  TIFFSizeProc size, tmsize_t largest_allocation,
                                  tfs_tiff_message *message) {
  TIFFOpenOptions *options = TIFFOpenOptionsAlloc();
  if (options == NULL) return NULL;
  TIFFOpenOptionsSetMaxSingleMemAlloc(options, largest_allocation);
  TIFFOpenOptionsSetErrorHandlerExtR(options, tfs_tiff_keep_first, message);
  TIFFOpenOptionsSetWarningHandlerExtR(options, tfs_tiff_ignore, NULL);
  // c: uncompressed pages are read in one piece, not in strips of 8 kB that libtiff makes up.
  // m: everything is read through the callback, which counts and can stop.
  TIFF *tiff = TIFFClientOpenExt("", "rcm", context, read, tfs_tiff_refuse_write, seek,
                                 tfs_tiff_leave_open, size, NULL, NULL, options);
  TIFFOpenOptionsFree(options);
  return tiff;
}

/// A 16-bit tag with its default, or `fallback` when the page has neither.
static inline uint16_t tfs_tiff_u16(TIFF *tiff, uint32_t tag, uint16_t fallback) {
  uint16_t value = 0;
  return TIFFGetFieldDefaulted(tiff, tag, &value) ? value : fallback;
}

/// A 32-bit tag with its default, or `fallback` when the page has neither.
static inline uint32_t tfs_tiff_u32(TIFF *tiff, uint32_t tag, uint32_t fallback) {
  uint32_t value = 0;
  return TIFFGetFieldDefaulted(tiff, tag, &value) ? value : fallback;
}

/// Text of a tag, valid until the next directory is read; NULL when the page has none.
static inline const char *tfs_tiff_text(TIFF *tiff, uint32_t tag) {
  const char *value = NULL;
  return TIFFGetField(tiff, tag, &value) ? value : NULL;
}

/// The value of a tag that libtiff does not know: the number of its elements, and the elements if they
/// are bytes, else NULL. They stay libtiff's. False when the page does not have the tag.
static inline bool tfs_tiff_makers_tag(TIFF *tiff, uint32_t tag, uint32_t *count,
                                       const uint8_t **bytes) {
  const TIFFField *field = TIFFFindField(tiff, tag, TIFF_ANY);
  if (field == NULL || !TIFFFieldPassCount(field) || TIFFFieldReadCount(field) != TIFF_VARIABLE2) {
    return false;
  }
  const void *value = NULL;
  if (!TIFFGetField(tiff, tag, count, &value)) return false;
  TIFFDataType type = TIFFFieldDataType(field);
  *bytes = type == TIFF_BYTE || type == TIFF_UNDEFINED ? (const uint8_t *)value : NULL;
  return true;
}

/// The number of extra samples per pixel (alpha and others).
static inline uint16_t tfs_tiff_extra_samples(TIFF *tiff) {
  uint16_t count = 0;
  uint16_t *kinds = NULL;
  return TIFFGetField(tiff, TIFFTAG_EXTRASAMPLES, &count, &kinds) ? count : 0;
}

/// Makes zlib inflate the rest of the page instead of libdeflate.
static inline int tfs_tiff_decode_by_zlib(TIFF *tiff) {
  return TIFFSetField(tiff, TIFFTAG_DEFLATE_SUBCODEC, DEFLATE_SUBCODEC_ZLIB);
}

/// Makes libjpeg convert YCbCr to RGB, so that the stored subsampling does not show.
static inline int tfs_tiff_decode_jpeg_as_rgb(TIFF *tiff) {
  return TIFFSetField(tiff, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
}

#endif
