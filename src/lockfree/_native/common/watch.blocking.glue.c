#include <lockfree/blocks/watching.h>
