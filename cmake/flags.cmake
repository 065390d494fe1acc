# tapegrad_flags: how every file of the project is compiled. Contraction is off for all who include our
# headers: fma is used by name only, so that one function gives the same bits wherever it is inlined.
add_library(tapegrad_flags INTERFACE)
target_compile_options(
  tapegrad_flags INTERFACE -ffp-contract=off -fno-math-errno -fno-trapping-math -fopenmp-simd -Wall -Wextra -Wconversion)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # False alarm of gcc 12 on every "text" + std::string (gcc bug 105651).
  target_compile_options(tapegrad_flags INTERFACE -Wno-restrict)
endif()
if(TAPEGRAD_WERROR)
  target_compile_options(tapegrad_flags INTERFACE -Werror)
endif()
if(TAPEGRAD_SANITIZE)
  target_compile_options(
    tapegrad_flags INTERFACE -fsanitize=${TAPEGRAD_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(tapegrad_flags INTERFACE -fsanitize=${TAPEGRAD_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # False alarms on variants; gcc's own manual warns of them beside -fsanitize.
    target_compile_options(tapegrad_flags INTERFACE -Wno-maybe-uninitialized)
  endif()
endif()
