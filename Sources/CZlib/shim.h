// zlib for Swift: gzip as a stream.
#ifndef TFS_CZLIB_SHIM_H
#define TFS_CZLIB_SHIM_H

#include <zlib.h>

// A macro in zlib. Expects gzip headers and checksums.
static inline int tfs_gunzip_init(z_stream *stream) { return inflateInit2(stream, 15 + 16); }

#endif
