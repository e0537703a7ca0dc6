/* ring_whose_empty_lies.h: claim before publish. A put that has claimed its position and not yet published it hides the
 * records of all later puts, also of completed ones: EMPTY is answered while something is certainly inside. */
#include "cells.h"
