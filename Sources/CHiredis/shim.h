// hiredis as a codec: `redisReader` and `redisFormatCommandArgv`. Its own connections are not used.
// The reader's layout differs between hiredis 0.14 (Debian 12) and 1.x (Debian 13, Ubuntu 24.04);
// what depends on it is here, so that Swift sees one shape.
#ifndef CHIREDIS_SHIM_H
#define CHIREDIS_SHIM_H

#include <hiredis/hiredis.h>
#include <stdlib.h>

// The type of the item the reader is in the middle of (REDIS_REPLY_...), or -1 between replies and
// before a type byte was seen.
static inline int chiredis_pending_type(const redisReader *reader) {
  if (reader->ridx < 0) return -1;
#if HIREDIS_MAJOR >= 1
  return reader->task[reader->ridx]->type;
#else
  return reader->rstack[reader->ridx].type;
#endif
}

// The bytes fed to the reader and not yet turned into values.
static inline size_t chiredis_unparsed(const redisReader *reader) {
  return reader->len - reader->pos;
}

#if HIREDIS_MAJOR >= 1
static inline void *chiredis_reject_double(
    const redisReadTask *task, double value, char *text, size_t length) {
  (void)task; (void)value; (void)text; (void)length;
  return NULL;
}
static inline void *chiredis_reject_bool(const redisReadTask *task, int value) {
  (void)task; (void)value;
  return NULL;
}
#endif

// A zeroed table of callbacks that lives as long as the process. RESP3's types, which hiredis 1.x
// parses without being asked, are errors.
static inline redisReplyObjectFunctions *chiredis_make_functions(void) {
  redisReplyObjectFunctions *functions =
      (redisReplyObjectFunctions *)calloc(1, sizeof(redisReplyObjectFunctions));
#if HIREDIS_MAJOR >= 1
  if (functions) {
    functions->createDouble = chiredis_reject_double;
    functions->createBool = chiredis_reject_bool;
  }
#endif
  return functions;
}

// Formats one command; the result is freed with redisFreeCommand. Negative when out of memory.
static inline long long chiredis_format(
    char **target, int count, const char **arguments, const size_t *lengths) {
  return redisFormatCommandArgv(target, count, arguments, lengths);
}

#endif
