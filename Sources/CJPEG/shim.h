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

typedef struct {
  struct jpeg_decompress_struct decoder;
  struct jpeg_error_mgr errors;
  struct jpeg_progress_mgr progress;
  jmp_buf failure;
  char message[JMSG_LENGTH_MAX];

  // What the header says, after tfs_jpeg_read_header.
  uint32_t width, height;
  int channels;
} tfs_jpeg;

enum { TFS_JPEG_MOST_SCANS = 500 };

static inline const char *tfs_jpeg_message(const tfs_jpeg *self) { return self->message; }

static void tfs_jpeg_fail(j_common_ptr common) {
  tfs_jpeg *self = (tfs_jpeg *)common->client_data;
  common->err->format_message(common, self->message);
  longjmp(self->failure, 1);
}

/// Warnings are silent, but for the end of the data: libjpeg would fill up with grey.
static void tfs_jpeg_warn(j_common_ptr common, int level) {
  if (level < 0 && common->err->msg_code == JWRN_JPEG_EOF) tfs_jpeg_fail(common);
}

static void tfs_jpeg_print_nothing(j_common_ptr common) { (void)common; }

/// A small file can have scans without end, each of which touches every pixel.
static void tfs_jpeg_count_scans(j_common_ptr common) {
  tfs_jpeg *self = (tfs_jpeg *)common->client_data;
  if (self->decoder.input_scan_number > TFS_JPEG_MOST_SCANS) {
    snprintf(self->message, sizeof self->message, "too many scans");
    longjmp(self->failure, 1);
  }
}

/// A decoder for `bytes`, which must outlive it, or NULL without memory. Free with tfs_jpeg_close.
__attribute__((noinline)) static tfs_jpeg *tfs_jpeg_open(const uint8_t *bytes, size_t count) {
  tfs_jpeg *self = (tfs_jpeg *)calloc(1, sizeof(tfs_jpeg));
  if (self == NULL) return NULL;
  self->decoder.err = jpeg_std_error(&self->errors);
  self->errors.error_exit = tfs_jpeg_fail;
  self->errors.emit_message = tfs_jpeg_warn;
  self->errors.output_message = tfs_jpeg_print_nothing;
  self->decoder.client_data = self;
  if (setjmp(self->failure)) {
    free(self);
    return NULL;
  }
  jpeg_create_decompress(&self->decoder);
  self->progress.progress_monitor = tfs_jpeg_count_scans;
  self->decoder.progress = &self->progress;
  jpeg_mem_src(&self->decoder, bytes, (unsigned long)count);
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
  self->decoder.out_color_space = self->channels == 1   ? JCS_GRAYSCALE
                                  : self->channels == 3 ? JCS_RGB
                                                        : JCS_CMYK;
  return true;
}

/// Reads all rows into `pixels`, `stride` bytes apart, as grey, RGB or CMYK.
__attribute__((noinline)) static bool tfs_jpeg_read_pixels(tfs_jpeg *self, uint8_t *pixels,
                                                           size_t stride) {
  if (setjmp(self->failure)) return false;
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
