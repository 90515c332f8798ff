# SPDX-License-Identifier: GPL-2.0-only
# A vendor module from its sources, as part of the build:
#   pkvm_module(hello EL1 el1.c EL2 hyp/el2.c [OPTIONS --cfi off]) -> modules/hello.ko
# Sources are relative to the calling folder; `modules` builds all of them.
add_custom_target(modules ALL)
file(GLOB_RECURSE PKVMEMU_SDK_HEADERS CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/sdk/*.h)

function(pkvm_module name)
  cmake_parse_arguments(ARG "" "" "EL1;EL2;OPTIONS;DEPENDS" ${ARGN})
  set(output ${CMAKE_BINARY_DIR}/modules/${name}.ko)
  set(halves --el1 ${ARG_EL1})
  if(ARG_EL2)
    list(APPEND halves --el2 ${ARG_EL2})
  endif()
  file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/modules)
  add_custom_command(OUTPUT ${output}
    COMMAND pkvm-modbuild --name ${name} ${halves} --fatal-warnings ${ARG_OPTIONS} -o ${output}
    DEPENDS pkvm-modbuild ${ARG_EL1} ${ARG_EL2} ${ARG_DEPENDS} ${PKVMEMU_SDK_HEADERS}
    WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR} VERBATIM
    COMMENT "Building module ${name}.ko")
  add_custom_target(module_${name} DEPENDS ${output})
  add_dependencies(modules module_${name})
endfunction()
