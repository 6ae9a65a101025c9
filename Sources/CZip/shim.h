// libzip for Swift.
#ifndef TFS_CZIP_SHIM_H
#define TFS_CZIP_SHIM_H

#include <zip.h>

#endif
