# SPDX-License-Identifier: GPL-2.0-only
# Capstone::Capstone, linked statically. The packages ship only a pkg-config file.
find_package(PkgConfig QUIET)
pkg_check_modules(PC_CAPSTONE QUIET capstone)
find_path(Capstone_INCLUDE_DIR capstone/capstone.h HINTS ${PC_CAPSTONE_INCLUDE_DIRS})
find_library(Capstone_LIBRARY NAMES libcapstone.a HINTS ${PC_CAPSTONE_LIBRARY_DIRS})
set(Capstone_VERSION ${PC_CAPSTONE_VERSION})

if(Capstone_VERSION AND Capstone_FIND_VERSION AND Capstone_VERSION VERSION_LESS Capstone_FIND_VERSION)
  message(FATAL_ERROR "Capstone ${Capstone_VERSION} cannot decode atomics and pointer "
                      "authentication; pkvm-emu needs ${Capstone_FIND_VERSION} or newer: run "
                      "./tools/setup, which installs it.")
endif()
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Capstone
  REQUIRED_VARS Capstone_LIBRARY Capstone_INCLUDE_DIR
  VERSION_VAR Capstone_VERSION
  REASON_FAILURE_MESSAGE "run ./tools/setup, which installs it.")
if(Capstone_FOUND AND NOT TARGET Capstone::Capstone)
  add_library(Capstone::Capstone STATIC IMPORTED)
  set_target_properties(Capstone::Capstone PROPERTIES
    IMPORTED_LOCATION ${Capstone_LIBRARY}
    INTERFACE_INCLUDE_DIRECTORIES ${Capstone_INCLUDE_DIR})
endif()
mark_as_advanced(Capstone_INCLUDE_DIR Capstone_LIBRARY)
