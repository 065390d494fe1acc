# Run as a test: no function compiled for a later processor may replace one that everybody calls. An inline function
# or template that an isa_v3 or isa_v4 object emits as a weak symbol might be the copy that the linker keeps for the
# whole program; so all symbols of these objects lie in their own namespace (or are local to the file).
# cmake -DNM=nm "-DOBJECTS=a.o;b.o" -DLEVEL=isa_v3 -P isa_symbols.cmake
set(count 0)
foreach(object IN LISTS OBJECTS)
  execute_process(COMMAND ${NM} --defined-only --extern-only ${object} OUTPUT_VARIABLE text COMMAND_ERROR_IS_FATAL ANY)
  string(REGEX MATCHALL "[^\n]+" lines "${text}")
  foreach(line IN LISTS lines)
    math(EXPR count "${count} + 1")
    # Reference-holding type names and inline constants carry no instructions.
    if(NOT line MATCHES "${LEVEL}" AND NOT line MATCHES " [VuRr] ")
      message(SEND_ERROR "${object}: ${line} is outside of ${LEVEL}; put what it comes from in an unnamed namespace, "
                         "or mark it [[gnu::always_inline]]")
    endif()
  endforeach()
endforeach()
if(count EQUAL 0)
  message(FATAL_ERROR "no symbols found in: ${OBJECTS}")
endif()
