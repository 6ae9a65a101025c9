// libjpeg for Swift. libjpeg reports errors by longjmp; each function here catches it in the frame
// that called libjpeg, so that no jump crosses Swift code.
#ifndef TFS_CJPEG_SHIM_H
#define TFS_CJPEG_SHIM_H

#include <stdio.h>  // before jpeglib.h, which needs FILE and size_t

#include <jerror.h>
#include <jpeglib.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

/// Copies up to `count` bytes from a source and returns how many; 0 at its end, or to end the work.
typedef size_t (*tfs_jpeg_read)(void *context, uint8_t *bytes, size_t count);

/// Whether to go on.
typedef bool (*tfs_jpeg_goes_on)(void *context);

typedef struct {
  struct jpeg_decompress_struct decoder;
  struct jpeg_error_mgr errors;
  struct jpeg_progress_mgr progress;
  struct jpeg_source_mgr source;
  tfs_jpeg_read read;
  tfs_jpeg_goes_on goes_on;
  void *context;
  uint8_t buffer[1 << 16];
  jmp_buf failure;
  char message[JMSG_LENGTH_MAX];

  // What the header says, after tfs_jpeg_read_header.
  uint32_t width, height;
  int channels;
  /// The image comes in several scans, for which libjpeg keeps all coefficients, two bytes each.
  bool has_scans;
} tfs_jpeg;

/// Real files have about ten.
enum { TFS_JPEG_MOST_SCANS = 100 };

static inline const char *tfs_jpeg_message(const tfs_jpeg *self) { return self->message; }

static void tfs_jpeg_fail(j_common_ptr common) {
  tfs_jpeg *self = (tfs_jpeg *)common->client_data;
  common->err->format_message(common, self->message);
  longjmp(self->failure, 1);
}

/// Warnings are silent: what can be read of a slightly damaged picture is of use.
static void tfs_jpeg_warn(j_common_ptr common, int level) {
  (void)common;
  (void)level;
}

static void tfs_jpeg_print_nothing(j_common_ptr common) { (void)common; }

static void tfs_jpeg_stop(tfs_jpeg *self, const char *reason) {
  snprintf(self->message, sizeof self->message, "%s", reason);
  longjmp(self->failure, 1);
}

/// Called for every few rows. A small file can have scans without end, each of which touches every
/// pixel.
static void tfs_jpeg_watch(j_common_ptr common) {
  tfs_jpeg *self = (tfs_jpeg *)common->client_data;
  if (self->decoder.input_scan_number > TFS_JPEG_MOST_SCANS) tfs_jpeg_stop(self, "too many scans");
  if (!self->goes_on(self->context)) tfs_jpeg_stop(self, "stopped");
}

static void tfs_jpeg_do_nothing(j_decompress_ptr decoder) { (void)decoder; }

static boolean tfs_jpeg_fill(j_decompress_ptr decoder) {
  tfs_jpeg *self = (tfs_jpeg *)decoder->client_data;
  size_t count = self->read(self->context, self->buffer, sizeof self->buffer);
  if (count == 0) tfs_jpeg_stop(self, "unexpected end of file");
  self->source.next_input_byte = self->buffer;
  self->source.bytes_in_buffer = count;
  return TRUE;
}

static void tfs_jpeg_skip(j_decompress_ptr decoder, long count) {
  tfs_jpeg *self = (tfs_jpeg *)decoder->client_data;
  while (count > 0 && (size_t)count > self->source.bytes_in_buffer) {
    count -= (long)self->source.bytes_in_buffer;
    tfs_jpeg_fill(decoder);
  }
  if (count > 0) {
    self->source.next_input_byte += count;
    self->source.bytes_in_buffer -= (size_t)count;
  }
}

/// A decoder that reads through callbacks, whose `context` must outlive it, or NULL without memory.
/// Free with tfs_jpeg_close.
__attribute__((noinline)) static tfs_jpeg *tfs_jpeg_open(tfs_jpeg_read read,
                                                         tfs_jpeg_goes_on goes_on, void *context) {
  tfs_jpeg *self = (tfs_jpeg *)calloc(1, sizeof(tfs_jpeg));
  if (self == NULL) return NULL;
  self->decoder.err = jpeg_std_error(&self->errors);
  self->errors.error_exit = tfs_jpeg_fail;
  self->errors.emit_message = tfs_jpeg_warn;
  self->errors.output_message = tfs_jpeg_print_nothing;
  self->decoder.client_data = self;
  self->read = read;
  self->goes_on = goes_on;
  self->context = context;
  if (setjmp(self->failure)) {
    free(self);
    return NULL;
  }
  jpeg_create_decompress(&self->decoder);
  self->progress.progress_monitor = tfs_jpeg_watch;
  self->decoder.progress = &self->progress;
  self->source.init_source = tfs_jpeg_do_nothing;
  self->source.fill_input_buffer = tfs_jpeg_fill;
  self->source.skip_input_data = tfs_jpeg_skip;
  self->source.resync_to_restart = jpeg_resync_to_restart;
  self->source.term_source = tfs_jpeg_do_nothing;
  self->decoder.src = &self->source;
  return self;
}

static inline void tfs_jpeg_close(tfs_jpeg *self) {
  if (self == NULL) return;
  jpeg_destroy_decompress(&self->decoder);
  free(self);
}

/// Reads up to the first pixel and fills in the header fields.
__attribute__((noinline)) static bool tfs_jpeg_read_header(tfs_jpeg *self) {
  if (setjmp(self->failure)) return false;
  jpeg_read_header(&self->decoder, TRUE);
  self->width = self->decoder.image_width;
  self->height = self->decoder.image_height;
  self->channels = self->decoder.num_components;
  self->has_scans = jpeg_has_multiple_scans(&self->decoder);
  self->decoder.out_color_space = self->channels == 1   ? JCS_GRAYSCALE
                                  : self->channels == 3 ? JCS_RGB
                                                        : JCS_CMYK;
  return true;
}

/// Whether reading failed since the file uses a part of JPEG that libjpeg does not know.
static inline bool tfs_jpeg_is_unknown(const tfs_jpeg *self) {
  int code = self->errors.msg_code;
  return self->message[0] != 0 && (code == JERR_BAD_PRECISION || code == JERR_SOF_UNSUPPORTED ||
                                   code == JERR_CONVERSION_NOTIMPL || code == JERR_ARITH_NOTIMPL);
}

/// Reads all rows into `pixels`, `stride` bytes apart, as grey, RGB or CMYK. libjpeg takes at most
/// `largest_memory` bytes for the coefficients of several scans.
__attribute__((noinline)) static bool tfs_jpeg_read_pixels(tfs_jpeg *self, uint8_t *pixels,
                                                           size_t stride, long largest_memory) {
  if (setjmp(self->failure)) return false;
  self->decoder.mem->max_memory_to_use = largest_memory;
  jpeg_start_decompress(&self->decoder);
  if ((size_t)self->decoder.output_width * self->decoder.output_components != stride ||
      self->decoder.output_height != self->height) {
    snprintf(self->message, sizeof self->message, "unexpected layout");
    return false;
  }
  while (self->decoder.output_scanline < self->height) {
    JSAMPROW row = pixels + self->decoder.output_scanline * stride;
    jpeg_read_scanlines(&self->decoder, &row, 1);
  }
  jpeg_finish_decompress(&self->decoder);
  return true;
}

#endif
