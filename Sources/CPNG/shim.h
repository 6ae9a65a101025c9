// libpng for Swift. libpng reports errors by longjmp; each function here catches it in the frame
// that called libpng, so that no jump crosses Swift code.
#ifndef TFS_CPNG_SHIM_H
#define TFS_CPNG_SHIM_H

#include <png.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/// Copies `count` bytes from a source, or to a sink; false ends the work with an error.
typedef bool (*tfs_png_transfer)(void *context, uint8_t *bytes, size_t count);

typedef struct {
  png_structp png;
  png_infop info;
  bool is_writer;
  tfs_png_transfer transfer;
  void *context;
  char message[120];

  // What the header says, after tfs_png_read_header.
  uint32_t width, height;
  int bit_depth, color_type, passes;
} tfs_png;

static inline const char *tfs_png_message(const tfs_png *self) { return self->message; }

static void tfs_png_fail(png_structp png, png_const_charp message) {
  tfs_png *self = (tfs_png *)png_get_error_ptr(png);
  snprintf(self->message, sizeof self->message, "%s", message);
  longjmp(png_jmpbuf(png), 1);
}

static void tfs_png_ignore(png_structp png, png_const_charp message) {
  (void)png;
  (void)message;
}

static void tfs_png_move(png_structp png, png_bytep bytes, size_t count) {
  tfs_png *self = (tfs_png *)png_get_io_ptr(png);
  if (!self->transfer(self->context, bytes, count)) {
    png_error(png, self->is_writer ? "cannot write" : "unexpected end of file");
  }
}

static void tfs_png_flush(png_structp png) { (void)png; }

/// Frees a reader or writer; NULL is allowed.
static inline void tfs_png_close(tfs_png *self) {
  if (self == NULL) return;
  if (self->is_writer) {
    png_destroy_write_struct(&self->png, &self->info);
  } else {
    png_destroy_read_struct(&self->png, &self->info, NULL);
  }
  free(self);
}

/// A new reader or writer, or NULL without memory. `context` must outlive it.
static inline tfs_png *tfs_png_open(bool is_writer, tfs_png_transfer transfer, void *context) {
  tfs_png *self = (tfs_png *)calloc(1, sizeof(tfs_png));
  if (self == NULL) return NULL;
  self->is_writer = is_writer;
  self->transfer = transfer;
  self->context = context;
  self->png = is_writer ? png_create_write_struct(PNG_LIBPNG_VER_STRING, self, tfs_png_fail,
                                                  tfs_png_ignore)
                        : png_create_read_struct(PNG_LIBPNG_VER_STRING, self, tfs_png_fail,
                                                 tfs_png_ignore);
  if (self->png != NULL) self->info = png_create_info_struct(self->png);
  if (self->info == NULL) {
    tfs_png_close(self);
    return NULL;
  }
  return self;
}

/// Reads up to the first pixel and fills in the header fields. Chunks that do not change the stored
/// values are skipped, however large they claim to be.
__attribute__((noinline)) static bool tfs_png_read_header(tfs_png *self, uint32_t largest_width,
                                                          uint32_t largest_height) {
  if (setjmp(png_jmpbuf(self->png))) return false;
  png_set_read_fn(self->png, self, tfs_png_move);
  png_set_user_limits(self->png, largest_width, largest_height);
  png_set_chunk_malloc_max(self->png, 1 << 20);
  png_set_chunk_cache_max(self->png, 16);
  static const png_byte skipped[] =
      "bKGD\0cHRM\0eXIf\0gAMA\0hIST\0iCCP\0iTXt\0oFFs\0pCAL\0pHYs\0sBIT\0sCAL\0sPLT\0sRGB\0"
      "sTER\0tEXt\0tIME\0zTXt\0tRNS";
  png_set_keep_unknown_chunks(self->png, PNG_HANDLE_CHUNK_NEVER, NULL, 0);
  png_set_keep_unknown_chunks(self->png, PNG_HANDLE_CHUNK_NEVER, skipped,
                              (int)(sizeof skipped / 5));
  png_read_info(self->png, self->info);
  self->width = png_get_image_width(self->png, self->info);
  self->height = png_get_image_height(self->png, self->info);
  self->bit_depth = png_get_bit_depth(self->png, self->info);
  self->color_type = png_get_color_type(self->png, self->info);
  return true;
}

/// Reads all rows into `pixels`, `stride` bytes apart: one byte per sample, or two in the machine's
/// order for 16-bit grey; 16-bit colours keep their high byte. Palette images give indices. Grey of
/// less than 8 bits is spread over 0...255, but for 1 bit, which gives 0 and 1.
__attribute__((noinline)) static bool tfs_png_read_pixels(tfs_png *self, uint8_t *pixels,
                                                          size_t stride) {
  if (setjmp(png_jmpbuf(self->png))) return false;
  bool is_grey = self->color_type == PNG_COLOR_TYPE_GRAY;
  if (self->bit_depth < 8) {
    if (is_grey && self->bit_depth > 1) {
      png_set_expand_gray_1_2_4_to_8(self->png);
    } else {
      png_set_packing(self->png);
    }
  }
  if (self->bit_depth == 16) {
    if (is_grey) {
      png_set_swap(self->png);
    } else {
      png_set_strip_16(self->png);
    }
  }
  self->passes = png_set_interlace_handling(self->png);
  png_read_update_info(self->png, self->info);
  if (png_get_rowbytes(self->png, self->info) != stride) png_error(self->png, "unexpected layout");
  for (int pass = 0; pass < self->passes; pass++) {
    for (uint32_t row = 0; row < self->height; row++) {
      png_read_row(self->png, pixels + row * stride, NULL);
    }
  }
  png_read_end(self->png, NULL);
  return true;
}

/// Writes a whole image of rows `stride` bytes apart, 16-bit samples in the machine's order.
/// `level` is zlib's, 0 to 9.
__attribute__((noinline)) static bool tfs_png_write(tfs_png *self, uint32_t width, uint32_t height,
                                                    int bit_depth, int color_type, int level,
                                                    const uint8_t *pixels, size_t stride) {
  if (setjmp(png_jmpbuf(self->png))) return false;
  png_set_write_fn(self->png, self, tfs_png_move, tfs_png_flush);
  png_set_user_limits(self->png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
  png_set_compression_level(self->png, level);
  png_set_filter(self->png, 0, PNG_FILTER_SUB);
  png_set_IHDR(self->png, self->info, width, height, bit_depth, color_type, PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_write_info(self->png, self->info);
  if (bit_depth == 16) png_set_swap(self->png);
  for (uint32_t row = 0; row < height; row++) png_write_row(self->png, pixels + row * stride);
  png_write_end(self->png, self->info);
  return true;
}

#endif
