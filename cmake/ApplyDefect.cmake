# SPDX-License-Identifier: GPL-2.0-only
# cmake -DPATCH= -DDIFF= -DSOURCE= -DRESULT= -P: a copy of SOURCE with DIFF applied, exactly or not at
# all.
execute_process(COMMAND ${PATCH} --fuzz=0 --forward --silent --reject-file=- --output=${RESULT} ${SOURCE} ${DIFF}
                RESULT_VARIABLE status OUTPUT_VARIABLE said ERROR_VARIABLE said)
if(NOT status EQUAL 0)
  file(REMOVE ${RESULT})
  message(FATAL_ERROR "${DIFF} does not apply to ${SOURCE}: make it anew after the source's change\n${said}")
endif()
