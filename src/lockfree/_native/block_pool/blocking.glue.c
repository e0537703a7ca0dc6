#include "block_pool/look.h"
