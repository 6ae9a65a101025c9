// libtiff for Swift: its variadic calls, and its messages kept per file instead of printed.
#ifndef TFS_CTIFF_SHIM_H
#define TFS_CTIFF_SHIM_H

#include <stdarg.h>
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

static void tfs_tiff_keep_map(thandle_t context, void *base, toff_t size) {
  (void)context;
  (void)base;
  (void)size;
}

/// Opens a TIFF for reading through callbacks. `context` and `message` stay the caller's and must
/// outlive the handle; `map` is NULL for a source that is not in memory. No single allocation of
/// libtiff's own exceeds `largest_allocation` bytes. Close with TIFFClose.
static inline TIFF *tfs_tiff_open(thandle_t context, TIFFReadWriteProc read, TIFFSeekProc seek,
                                  TIFFSizeProc size, TIFFMapFileProc map,
                                  tmsize_t largest_allocation, tfs_tiff_message *message) {
  TIFFOpenOptions *options = TIFFOpenOptionsAlloc();
  if (options == NULL) return NULL;
  TIFFOpenOptionsSetMaxSingleMemAlloc(options, largest_allocation);
  TIFFOpenOptionsSetErrorHandlerExtR(options, tfs_tiff_keep_first, message);
  TIFFOpenOptionsSetWarningHandlerExtR(options, tfs_tiff_ignore, NULL);
  // c: uncompressed pages are read in one piece, not in strips of 8 kB that libtiff makes up.
  TIFF *tiff = TIFFClientOpenExt("", map == NULL ? "rcm" : "rc", context, read,
                                 tfs_tiff_refuse_write, seek, tfs_tiff_leave_open, size, map,
                                 tfs_tiff_keep_map, options);
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

/// The number of extra samples per pixel (alpha and others).
static inline uint16_t tfs_tiff_extra_samples(TIFF *tiff) {
  uint16_t count = 0;
  uint16_t *kinds = NULL;
  return TIFFGetField(tiff, TIFFTAG_EXTRASAMPLES, &count, &kinds) ? count : 0;
}

/// Makes libjpeg convert YCbCr to RGB, so that the stored subsampling does not show.
static inline int tfs_tiff_decode_jpeg_as_rgb(TIFF *tiff) {
  return TIFFSetField(tiff, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
}

#endif
