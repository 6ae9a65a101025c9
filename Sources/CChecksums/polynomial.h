#ifndef CCHECKSUMS_POLYNOMIAL_H
#define CCHECKSUMS_POLYNOMIAL_H

#include "CChecksums.h"

/// Factors that move a block of 128 bits over those behind it: for its first and its second half.
typedef struct {
  uint64_t first, second;
} crc_fold;

struct crc_polynomial {
  uint64_t reversed;
  /// `width` ones.
  uint64_t mask;
  int width;
  /// What a byte becomes when 0...7 more have followed it.
  uint64_t table[8][256];
  crc_fold over_128_bits, over_512_bits;
};

/// Below this many bytes the tables are as quick.
enum { crc_fold_minimum = 64 };

/// Takes as many of the bytes as come in whole blocks of 16 into the register, at least
/// `crc_fold_minimum`. The processor must have carry-less multiplication.
///
/// Returns the bytes taken.
size_t crc_take_by_folding(
    const crc_polynomial *polynomial, uint64_t *crc_register, const uint8_t *bytes, size_t count);

/// Takes all bytes into the register.
void crc_take_by_table(
    const crc_polynomial *polynomial, uint64_t *crc_register, const uint8_t *bytes, size_t count);

#endif
