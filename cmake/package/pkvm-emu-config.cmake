# SPDX-License-Identifier: GPL-2.0-only
# find_package(pkvm-emu CONFIG REQUIRED) defines
#   pkvmemu::pkvmemu      the library behind <pkvmemu/pkvmemu.h>; it needs nothing else
#   pkvmemu::pkvm-emu     the program
#   pkvmemu_add_module()  a module from its sources (pkvm-emu-modules.cmake)
include(CMakeFindDependencyMacro)
find_dependency(Threads)

get_filename_component(_pkvmemu_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
if(NOT TARGET pkvmemu::pkvmemu)
  add_library(pkvmemu::pkvmemu STATIC IMPORTED)
  set_target_properties(pkvmemu::pkvmemu PROPERTIES
    IMPORTED_LOCATION "${_pkvmemu_prefix}/lib/libpkvmemu.a"
    IMPORTED_LINK_INTERFACE_LANGUAGES CXX
    INTERFACE_INCLUDE_DIRECTORIES "${_pkvmemu_prefix}/include"
    INTERFACE_COMPILE_FEATURES cxx_std_20
    INTERFACE_LINK_LIBRARIES "Threads::Threads;m")
  add_executable(pkvmemu::pkvm-emu IMPORTED)
  set_target_properties(pkvmemu::pkvm-emu PROPERTIES
    IMPORTED_LOCATION "${_pkvmemu_prefix}/bin/pkvm-emu")
endif()
foreach(_pkvmemu_file IN ITEMS lib/libpkvmemu.a bin/pkvm-emu)
  if(NOT EXISTS "${_pkvmemu_prefix}/${_pkvmemu_file}")
    set(pkvm-emu_FOUND FALSE)
    set(pkvm-emu_NOT_FOUND_MESSAGE "${_pkvmemu_prefix}/${_pkvmemu_file} is missing: install pkvm-emu again")
  endif()
endforeach()
include("${CMAKE_CURRENT_LIST_DIR}/pkvm-emu-modules.cmake")
unset(_pkvmemu_file)
unset(_pkvmemu_prefix)
