/* strings.hpp: has std::string of C++17 and before in the program itself, as that of C++20 is. Otherwise the code of the
 * library would be called, and nobody would see what it reads and writes. */
#if defined __has_include
#if __has_include(<bits/c++config.h>)
#include <bits/c++config.h>
#ifdef _GLIBCXX_EXTERN_TEMPLATE
#undef _GLIBCXX_EXTERN_TEMPLATE
#define _GLIBCXX_EXTERN_TEMPLATE -1 /* extern templates of all but std::string */
#endif
#endif
#endif
