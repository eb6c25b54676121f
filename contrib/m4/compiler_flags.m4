# Warnings, hardening and sanitizers, in one place. Sets L2D_CFLAGS, L2D_CPPFLAGS and L2D_LDFLAGS.
AC_DEFUN([L2D_TRY_CFLAG], [
  AS_VAR_PUSHDEF([cachevar], [l2d_cv_cflag_$1])
  AC_CACHE_CHECK([whether $CC takes $1], [cachevar], [
    l2d_saved_CFLAGS=$CFLAGS
    CFLAGS="$CFLAGS -Werror $1"
    AC_COMPILE_IFELSE([AC_LANG_PROGRAM()], [AS_VAR_SET([cachevar], [yes])], [AS_VAR_SET([cachevar], [no])])
    CFLAGS=$l2d_saved_CFLAGS])
  AS_VAR_IF([cachevar], [yes], [L2D_CFLAGS="$L2D_CFLAGS $1"])
  AS_VAR_POPDEF([cachevar])
])

AC_DEFUN([L2D_COMPILER_FLAGS], [
  L2D_CFLAGS="-std=gnu17"
  L2D_CPPFLAGS="-D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -include \$(top_srcdir)/src/base/banned.h"
  L2D_LDFLAGS=""

  for flag in -Wall -Wextra -Wconversion -Wsign-conversion -Wshadow -Wcast-qual -Wwrite-strings \
      -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wpointer-arith -Wundef -Wvla \
      -Wswitch-enum -Wformat=2 -Wimplicit-fallthrough -Wnull-dereference -Wdouble-promotion \
      -Wlogical-op -Wduplicated-cond -Wduplicated-branches; do
    L2D_TRY_CFLAG([$flag])
  done

  AC_ARG_ENABLE([werror], [AS_HELP_STRING([--enable-werror], [make every warning an error])])
  AS_VAR_IF([enable_werror], [yes], [L2D_CFLAGS="$L2D_CFLAGS -Werror"])

  AC_ARG_WITH([sanitizer],
    [AS_HELP_STRING([--with-sanitizer=LIST], [build with sanitizers: address,undefined or thread])])
  AC_ARG_ENABLE([hardening],
    [AS_HELP_STRING([--disable-hardening], [leave out the hardening flags, on by default])])
  l2d_hardening=yes
  AS_IF([test "x$with_sanitizer" != x && test "x$with_sanitizer" != xno], [
    l2d_hardening="no (sanitizer)"
    L2D_CFLAGS="$L2D_CFLAGS -fsanitize=$with_sanitizer -fno-sanitize-recover=all -fno-omit-frame-pointer"
    L2D_LDFLAGS="$L2D_LDFLAGS -fsanitize=$with_sanitizer"
  ], [test "x$enable_hardening" = xno], [l2d_hardening=no])
  AS_IF([test "$l2d_hardening" = yes], [
    L2D_CPPFLAGS="$L2D_CPPFLAGS -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3"
    for flag in -fstack-protector-strong -fstack-clash-protection -fcf-protection -fPIE; do
      L2D_TRY_CFLAG([$flag])
    done
    L2D_LDFLAGS="$L2D_LDFLAGS -pie -Wl,-z,relro,-z,now -Wl,-z,noexecstack -Wl,--as-needed"
  ])
  AC_SUBST([L2D_CFLAGS])
  AC_SUBST([L2D_CPPFLAGS])
  AC_SUBST([L2D_LDFLAGS])
])

AC_DEFUN([L2D_FUZZING], [
  AC_ARG_ENABLE([fuzzing],
    [AS_HELP_STRING([--enable-fuzzing], [link the fuzz targets with libFuzzer (clang) instead of the corpus replayer])])
  AM_CONDITIONAL([FUZZING], [test "x$enable_fuzzing" = xyes])
])
