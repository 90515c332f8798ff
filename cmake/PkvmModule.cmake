# SPDX-License-Identifier: GPL-2.0-only
# A vendor module from its sources, as part of the build:
#   pkvm_module(hello EL1 el1.c EL2 hyp/el2.c [EVERY_KMI] [OPTIONS --cfi off])
# -> modules/hello.ko for android15-6.6; with EVERY_KMI also modules/KMI/hello.ko for each
# generation; with KMIS a b only modules/KMI/hello.ko of those. Sources are relative to the calling
# folder; `modules` builds all of them.
set(PKVMEMU_DEFAULT_KMI android15-6.6)

add_custom_target(modules ALL)

function(pkvm_module name)
  cmake_parse_arguments(ARG "EVERY_KMI" "" "EL1;EL2;OPTIONS;DEPENDS;KMIS" ${ARGN})
  set(folder ${CMAKE_BINARY_DIR}/modules)
  set(halves --el1 ${ARG_EL1})
  if(ARG_EL2)
    list(APPEND halves --el2 ${ARG_EL2})
  endif()
  macro(build_one kmi output)
    add_custom_command(OUTPUT ${output}
      COMMAND pkvm-modbuild --name ${name} ${halves} --kmi ${kmi} --fatal-warnings ${ARG_OPTIONS}
              -o ${output}
      DEPENDS pkvm-modbuild ${ARG_EL1} ${ARG_EL2} ${ARG_DEPENDS} ${PKVMEMU_SDK_HEADERS}
      WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR} VERBATIM
      COMMENT "Building module ${name}.ko for ${kmi}")
  endmacro()

  set(outputs)
  if(ARG_EVERY_KMI)
    set(ARG_KMIS ${PKVMEMU_KMIS})
    set(default ${folder}/${PKVMEMU_DEFAULT_KMI}/${name}.ko)
    add_custom_command(OUTPUT ${folder}/${name}.ko DEPENDS ${default}
      COMMAND ${CMAKE_COMMAND} -E copy ${default} ${folder}/${name}.ko VERBATIM)
    list(APPEND outputs ${folder}/${name}.ko)
  endif()
  foreach(kmi IN LISTS ARG_KMIS)
    file(MAKE_DIRECTORY ${folder}/${kmi})
    build_one(${kmi} ${folder}/${kmi}/${name}.ko)
    list(APPEND outputs ${folder}/${kmi}/${name}.ko)
  endforeach()
  if(NOT ARG_KMIS)
    file(MAKE_DIRECTORY ${folder})
    build_one(${PKVMEMU_DEFAULT_KMI} ${folder}/${name}.ko)
    list(APPEND outputs ${folder}/${name}.ko)
  endif()
  add_custom_target(module_${name} DEPENDS ${outputs})
  add_dependencies(module_${name} sdk)
  add_dependencies(modules module_${name})
endfunction()
