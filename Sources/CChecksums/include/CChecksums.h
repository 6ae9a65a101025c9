#ifndef CCHECKSUMS_H
#define CCHECKSUMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// A cyclic redundancy check of 32 or 64 bits, least significant bit first, that starts from and is
/// complemented with ones: CRC-32, CRC-32C, CRC-64/NVME.
///
/// A checksum is passed and returned in its finished form; that of no bytes is 0. All functions may
/// be called from any thread.
typedef struct crc_polynomial crc_polynomial;

/// - `reversed`: the polynomial without its highest term, the term of x^0 in bit `width` - 1.
/// - `width`: 32 or 64.
/// Returns NULL without memory.
crc_polynomial *crc_polynomial_create(uint64_t reversed, int width);

void crc_polynomial_destroy(crc_polynomial *polynomial);

/// The checksum of what `crc` is the checksum of, followed by `bytes`.
uint64_t crc_update(
    const crc_polynomial *polynomial, uint64_t crc, const void *bytes, size_t count);

/// The same by tables alone: for processors without carry-less multiplication.
uint64_t crc_update_by_table(
    const crc_polynomial *polynomial, uint64_t crc, const void *bytes, size_t count);

/// Whether `crc_update` uses carry-less multiplication on this processor.
bool crc_is_accelerated(void);

/// The checksum of two pieces in a row from theirs; the second is `second_count` bytes long.
uint64_t crc_combine(
    const crc_polynomial *polynomial, uint64_t first, uint64_t second, uint64_t second_count);

/// Messages whose MD5 is made at once.
enum { md5_lanes = 4 };

/// As many messages of one length, and what of them was taken.
typedef struct {
  uint32_t state[4][md5_lanes];
  uint64_t count;
} md5_messages;

void md5_begin(md5_messages *messages);

/// Takes more of each message; those of message n are at `bytes` + n * `stride`.
///
/// - `count`: bytes of each, a multiple of 64.
void md5_update(md5_messages *messages, const void *bytes, size_t stride, size_t count);

/// Takes the last bytes of each message, of any count, and tells the digests, 16 bytes each.
void md5_finish(
    md5_messages *messages, const void *bytes, size_t stride, size_t count, uint8_t *digests);

#endif
