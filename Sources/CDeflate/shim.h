// libdeflate for Swift: raw deflate and CRC-32 of whole buffers.
#ifndef TFS_CDEFLATE_SHIM_H
#define TFS_CDEFLATE_SHIM_H

#include <libdeflate.h>

#endif
