# SPDX-License-Identifier: GPL-2.0-only
# A vendor module from its sources, with `pkvm-emu build`:
#
#   pkvmemu_add_module(NAME SOURCES el1.c hyp/el2.c [DEPENDS FILE...] [OPTIONS --fatal-warnings...]
#                      [GENERATIONS android15-6.6...])
#
# Writes modules/GENERATION/NAME.ko below the current build folder, for all three generations unless
# told otherwise. The target NAME, part of `all`, builds them; DEPENDS names what the sources include.
function(pkvmemu_add_module name)
  cmake_parse_arguments(PARSE_ARGV 1 ARG "" "" "SOURCES;DEPENDS;OPTIONS;GENERATIONS")
  if(ARG_UNPARSED_ARGUMENTS OR NOT ARG_SOURCES)
    message(FATAL_ERROR "pkvmemu_add_module(${name} SOURCES ...): ${ARG_UNPARSED_ARGUMENTS}")
  endif()
  if(NOT ARG_GENERATIONS)
    set(ARG_GENERATIONS android14-6.1 android15-6.6 android16-6.12)
  endif()
  set(modules)
  foreach(generation IN LISTS ARG_GENERATIONS)
    set(folder ${CMAKE_CURRENT_BINARY_DIR}/modules/${generation})
    file(MAKE_DIRECTORY ${folder})
    add_custom_command(OUTPUT ${folder}/${name}.ko
      COMMAND pkvmemu::pkvm-emu build --quiet ${ARG_OPTIONS} --name ${name} --kmi ${generation}
              -o ${folder}/${name}.ko ${ARG_SOURCES}
      DEPENDS pkvmemu::pkvm-emu ${ARG_SOURCES} ${ARG_DEPENDS}
      WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR} VERBATIM
      COMMENT "Building module ${name}.ko for ${generation}")
    list(APPEND modules ${folder}/${name}.ko)
  endforeach()
  add_custom_target(${name} ALL DEPENDS ${modules})
endfunction()
