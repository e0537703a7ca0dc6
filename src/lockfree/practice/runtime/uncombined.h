/* uncombined.h: each store of the source stays a store of its own. clang makes one of two that are neighbours at -O1 already,
 * and then no kill comes between them; gcc does not. */
#ifdef __clang__
#pragma clang optimize off
#endif
