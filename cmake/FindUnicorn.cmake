# SPDX-License-Identifier: GPL-2.0-only
# Unicorn::Unicorn, linked statically. The packages ship only a pkg-config file.
find_package(PkgConfig QUIET)
pkg_check_modules(PC_UNICORN QUIET unicorn)
find_path(Unicorn_INCLUDE_DIR unicorn/unicorn.h HINTS ${PC_UNICORN_INCLUDE_DIRS})
find_library(Unicorn_LIBRARY NAMES libunicorn.a HINTS ${PC_UNICORN_LIBRARY_DIRS})
set(Unicorn_VERSION ${PC_UNICORN_VERSION})

if(Unicorn_VERSION AND Unicorn_FIND_VERSION AND Unicorn_VERSION VERSION_LESS Unicorn_FIND_VERSION)
  message(FATAL_ERROR "Unicorn ${Unicorn_VERSION} has no virtual TLB; pkvm-emu needs "
                      "${Unicorn_FIND_VERSION} or newer: run ./tools/setup, which installs it.")
endif()
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Unicorn
  REQUIRED_VARS Unicorn_LIBRARY Unicorn_INCLUDE_DIR
  VERSION_VAR Unicorn_VERSION
  REASON_FAILURE_MESSAGE "run ./tools/setup, which installs it.")
if(Unicorn_FOUND AND NOT TARGET Unicorn::Unicorn)
  find_package(Threads REQUIRED)
  add_library(Unicorn::Unicorn STATIC IMPORTED)
  set_target_properties(Unicorn::Unicorn PROPERTIES
    IMPORTED_LOCATION ${Unicorn_LIBRARY}
    INTERFACE_INCLUDE_DIRECTORIES ${Unicorn_INCLUDE_DIR}
    INTERFACE_LINK_LIBRARIES "Threads::Threads;m")
endif()
mark_as_advanced(Unicorn_INCLUDE_DIR Unicorn_LIBRARY)
