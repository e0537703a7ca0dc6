/* ring_that_duplicates.h: two gets that meet at a position both return its record. */
#define LF_WRONG_DUPLICATES 1
#include "cells.h"
