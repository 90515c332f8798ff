# SPDX-License-Identifier: GPL-2.0-only
# Firmware with a defect planted in one source: pkvmemu_defect(NAME) takes NAME.patch of the current
# folder and makes defects/NAME.Image. The patch is applied to a copy in the build tree, which is
# compiled as its original is; every other object is the firmware's own.
find_program(PATCH patch REQUIRED)
set(PKVMEMU_DEFECTS_DIR ${CMAKE_BINARY_DIR}/defects)

# Images with a defect: elf and bin of `name`, linked of the objects in `objects`.
function(pkvmemu_link_defect name script objects)
  add_custom_command(OUTPUT ${name}.bin
    COMMAND ${LLD} ${PKVM_FIRMWARE_LINK_FLAGS} -T ${script} -o ${name}.elf ${objects}
    COMMAND ${OBJCOPY} -O binary ${name}.elf ${name}.bin
    DEPENDS ${objects} ${script} COMMAND_EXPAND_LISTS VERBATIM
    COMMENT "Linking ${name}.bin")
endfunction()

function(pkvmemu_defect name)
  set(patch ${CMAKE_CURRENT_SOURCE_DIR}/${name}.patch)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${patch})
  file(STRINGS ${patch} target REGEX "^\\+\\+\\+ b/")
  string(REGEX REPLACE "^\\+\\+\\+ b/" "" path "${target}")
  if(NOT path MATCHES "^firmware/(hyp|host)/[a-z0-9_/]+\\.cpp$")
    message(FATAL_ERROR "${patch}: expected a change of one source of firmware/hyp or firmware/host, "
                        "found '${path}'")
  endif()
  set(level ${CMAKE_MATCH_1})
  set(directory ${PKVMEMU_DEFECTS_DIR}/${name})
  get_filename_component(file ${path} NAME)
  file(MAKE_DIRECTORY ${directory})

  add_custom_command(OUTPUT ${directory}/${file}
    COMMAND ${CMAKE_COMMAND} -DPATCH=${PATCH} -DDIFF=${patch} -DSOURCE=${CMAKE_SOURCE_DIR}/${path}
            -DRESULT=${directory}/${file} -P ${CMAKE_SOURCE_DIR}/cmake/ApplyDefect.cmake
    DEPENDS ${patch} ${CMAKE_SOURCE_DIR}/${path} ${CMAKE_SOURCE_DIR}/cmake/ApplyDefect.cmake VERBATIM
    COMMENT "Planting ${name}")
  pkvm_firmware_objects(defect_${name} SOURCES ${directory}/${file} OPTIONS -ffunction-sections)

  # All but the original's, like ".../fw_hyp.dir/./vm/life_cycle.cpp.o".
  string(REGEX REPLACE "^firmware/(hyp|host/module|host)/" "" own ${path})
  string(REPLACE "." "\\." own ${own})
  foreach(part hyp host kmod)
    set(${part}_objects "$<FILTER:$<TARGET_OBJECTS:fw_${part}>,EXCLUDE,\\.dir/(\\./)?${own}\\.o$>")
  endforeach()
  set(planted $<TARGET_OBJECTS:defect_${name}>)
  set(library $<TARGET_OBJECTS:fw_lib>)
  if(level STREQUAL "hyp")
    pkvmemu_link_defect(${directory}/hyp ${CMAKE_SOURCE_DIR}/firmware/hyp/hyp.lds
      "${planted};${hyp_objects};$<TARGET_OBJECTS:fw_hyp_ops_plain>;$<TARGET_OBJECTS:fw_hyp_ops_normalized>;${library}")
    # The kernel carries the image in its head.
    configure_file(${CMAKE_SOURCE_DIR}/firmware/host/head.S ${directory}/head.S COPYONLY)
    set_source_files_properties(${directory}/head.S PROPERTIES
      COMPILE_DEFINITIONS HYP_IMAGE_FILE="${directory}/hyp.bin" OBJECT_DEPENDS ${directory}/hyp.bin)
    pkvm_firmware_objects(defect_${name}_head SOURCES ${directory}/head.S)
    set(host_objects "$<TARGET_OBJECTS:defect_${name}_head>;$<FILTER:$<TARGET_OBJECTS:fw_host>,EXCLUDE,/head\\.S\\.o$>")
    set(kmod_objects $<TARGET_OBJECTS:fw_kmod>)
    set(planted)
  endif()
  pkvmemu_link_defect(${directory}/host ${CMAKE_SOURCE_DIR}/firmware/host/host.lds
    "${planted};${host_objects};${kmod_objects};${library}")
  set(image ${PKVMEMU_DEFECTS_DIR}/${name}.Image)
  add_custom_command(OUTPUT ${image} COMMAND ${CMAKE_COMMAND} -E copy ${directory}/host.bin ${image}
                     DEPENDS ${directory}/host.bin VERBATIM)
  set_property(GLOBAL APPEND PROPERTY PKVMEMU_DEFECT_IMAGES ${image})
endfunction()
