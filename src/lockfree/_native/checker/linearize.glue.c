/* The linearizability engine in one translation unit. */
#include "linearize/linearize.h"
#include "linearize/parse.h"
LF_SOURCES(linearize)

#include "checker/errors.h"
#include "checker/decoding.h"
#include "checker/stepping.h"
