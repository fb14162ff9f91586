# Fails where a kernel object emits a function outside its own namespace: the linker could pick that copy,
# compiled for a newer processor, for the whole library.
#   cmake -DNM=nm -DISA=x86_64_v4 "-DOBJECTS=isa.cpp.o;product.cpp.o" -P isa_symbols.cmake
execute_process(COMMAND "${NM}" --defined-only --demangle ${OBJECTS} OUTPUT_VARIABLE symbols
                RESULT_VARIABLE failed)
if(failed)
  message(FATAL_ERROR "nm failed on ${OBJECTS}")
endif()
string(REPLACE ";" "," symbols "${symbols}")
string(REPLACE "\n" ";" symbols "${symbols}")
set(strangers "")
set(checked 0)
foreach(line IN LISTS symbols)
  if(line MATCHES "^[0-9a-f]+ [WVTu] (.*)$")
    math(EXPR checked "${checked} + 1")
    if(NOT CMAKE_MATCH_1 MATCHES "pynn::kernels::${ISA}::")
      string(APPEND strangers "\n  ${CMAKE_MATCH_1}")
    endif()
  endif()
endforeach()
if(strangers)
  message(FATAL_ERROR "functions of ${ISA} outside their namespace:${strangers}")
endif()
message(STATUS "${ISA}: ${checked} symbols, all in their namespace")
