# tapegrad::core: every source under cpp/tapegrad. The files of rows/isa are compiled once for each
# instruction-set level into a namespace of its own (isa_v1, isa_v3, isa_v4); rows/cpu.cpp picks one.
file(GLOB_RECURSE core_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/cpp/tapegrad/*.cpp)
file(GLOB isa_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/cpp/tapegrad/rows/isa/*.cpp)
if(isa_sources)
  list(REMOVE_ITEM core_sources ${isa_sources})
endif()

set(isa_levels 1)
set(isa_code_of_1 1)  # the level whose instructions the loops of level 1 use
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$" AND CMAKE_SIZEOF_VOID_P EQUAL 8)
  set(isa_flags_3 -march=x86-64-v3)
  set(isa_flags_4 -march=x86-64-v4 -mprefer-vector-width=512)
  check_cxx_compiler_flag(-march=x86-64-v3 TAPEGRAD_HAS_V3)
  check_cxx_compiler_flag(-march=x86-64-v4 TAPEGRAD_HAS_V4)
  if(TAPEGRAD_ISA_LEVELS STREQUAL "native")
    # For quick builds that stay on this machine. The highest level that it runs takes the place of the lowest, to which
    # every choice of a level falls back.
    foreach(level 3 4)
      check_cxx_source_runs(
        "int main() { return !__builtin_cpu_supports(\"x86-64-v${level}\"); }" TAPEGRAD_RUNS_V${level})
      if(TAPEGRAD_HAS_V${level} AND TAPEGRAD_RUNS_V${level})
        set(isa_code_of_1 ${level})
        set(isa_flags_1 ${isa_flags_${level}})
      endif()
    endforeach()
  elseif(TAPEGRAD_HAS_V3)
    list(APPEND isa_levels 3)
    if(TAPEGRAD_HAS_V4)
      list(APPEND isa_levels 4)
    endif()
  endif()
endif()
set(isa_code_of_3 3)
set(isa_code_of_4 4)
list(GET isa_levels -1 highest_isa)

# One of the two files team_*.cpp runs the threads, and only team_openmp.cpp is compiled with OpenMP. libgomp is
# linked dynamically: two copies in one process would each start their own threads.
set(parallel_dir ${PROJECT_SOURCE_DIR}/cpp/tapegrad/parallel)
find_package(Threads REQUIRED)
if(NOT TAPEGRAD_THREADS STREQUAL "std")
  find_package(OpenMP COMPONENTS CXX)
  if(NOT OpenMP_CXX_FOUND AND TAPEGRAD_THREADS STREQUAL "openmp")
    message(FATAL_ERROR "TAPEGRAD_THREADS=openmp, but this compiler has no OpenMP; use TAPEGRAD_THREADS=std")
  endif()
endif()
if(OpenMP_CXX_FOUND)
  set(TAPEGRAD_USES_OPENMP ON)
  list(REMOVE_ITEM core_sources ${parallel_dir}/team_std.cpp)
  separate_arguments(openmp_flags UNIX_COMMAND "${OpenMP_CXX_FLAGS}")
  set_source_files_properties(${parallel_dir}/team_openmp.cpp PROPERTIES COMPILE_OPTIONS "${openmp_flags}")
else()
  set(TAPEGRAD_USES_OPENMP OFF)
  list(REMOVE_ITEM core_sources ${parallel_dir}/team_openmp.cpp)
endif()

add_library(tapegrad_core STATIC ${core_sources})
add_library(tapegrad::core ALIAS tapegrad_core)
set_target_properties(tapegrad_core PROPERTIES EXPORT_NAME core OUTPUT_NAME tapegrad)
target_compile_features(tapegrad_core PUBLIC cxx_std_20)
target_compile_options(tapegrad_core PUBLIC -ffp-contract=off)
target_compile_definitions(tapegrad_core PRIVATE TAPEGRAD_HIGHEST_ISA=${highest_isa})
target_include_directories(
  tapegrad_core PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/cpp> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_link_libraries(tapegrad_core PRIVATE $<BUILD_INTERFACE:tapegrad_flags> ${CMAKE_DL_LIBS})
target_link_libraries(tapegrad_core PUBLIC Threads::Threads)
if(TAPEGRAD_USES_OPENMP)
  target_link_libraries(tapegrad_core INTERFACE $<LINK_ONLY:OpenMP::OpenMP_CXX>)
endif()

# Headers of the standard library are read once and not by every file. No file relies on that: each includes what it
# uses, and the sanitizer builds go without (CMAKE_DISABLE_PRECOMPILE_HEADERS).
add_library(tapegrad_headers OBJECT ${PROJECT_SOURCE_DIR}/cmake/empty.cpp)
target_link_libraries(tapegrad_headers PRIVATE tapegrad_flags)
target_compile_features(tapegrad_headers PRIVATE cxx_std_20)
target_precompile_headers(
  tapegrad_headers PRIVATE <algorithm> <array> <atomic> <cmath> <cstdint> <cstring> <functional> <map> <memory> <mutex>
  <optional> <ostream> <span> <sstream> <string> <unordered_map> <utility> <variant> <vector>)
function(use_precompiled_headers target)
  if(CMAKE_DISABLE_PRECOMPILE_HEADERS)
    return()
  endif()
  target_precompile_headers(${target} REUSE_FROM tapegrad_headers)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    # See flags.cmake: precompiled, the false alarm comes under these names.
    target_compile_options(${target} PRIVATE -Wno-stringop-overflow -Wno-array-bounds)
  endif()
endfunction()
use_precompiled_headers(tapegrad_core)
set_source_files_properties(${parallel_dir}/team_openmp.cpp PROPERTIES SKIP_PRECOMPILE_HEADERS ON)

if(TAPEGRAD_FRESH_BUILD)
  # Here -O3 costs a fifth more time to compile and gains nothing: the loops are in kernels.
  set(other_sources ${core_sources})
  list(FILTER other_sources INCLUDE REGEX "/tapegrad/(ops|program)/")
  set_source_files_properties(${other_sources} PROPERTIES COMPILE_OPTIONS "$<$<CONFIG:Release>:-O2>")
endif()

if(isa_sources)
  foreach(level IN LISTS isa_levels)
    add_library(tapegrad_isa_v${level} OBJECT ${isa_sources})
    target_link_libraries(tapegrad_isa_v${level} PRIVATE tapegrad_flags)
    target_include_directories(tapegrad_isa_v${level} PRIVATE ${PROJECT_SOURCE_DIR}/cpp)
    target_compile_options(tapegrad_isa_v${level} PRIVATE ${isa_flags_${level}})
    target_compile_definitions(
      tapegrad_isa_v${level} PRIVATE TAPEGRAD_ISA_LEVEL=${isa_code_of_${level}} TAPEGRAD_ISA_NAMESPACE=isa_v${level})
    if(TAPEGRAD_FRESH_BUILD)
      # Those that only fill the table, each from its own list.
      set(table_sources ${isa_sources})
      list(FILTER table_sources INCLUDE REGEX "/(elementwise_|lane_pairs_)")
      set_source_files_properties(${table_sources} PROPERTIES UNITY_GROUP tables)
      set_target_properties(tapegrad_isa_v${level} PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
    endif()
    target_sources(tapegrad_core PRIVATE $<TARGET_OBJECTS:tapegrad_isa_v${level}>)
  endforeach()
endif()

if(TAPEGRAD_OPENBLAS)
  if(NOT EXISTS "${TAPEGRAD_OPENBLAS}")
    message(FATAL_ERROR "TAPEGRAD_OPENBLAS names no file: ${TAPEGRAD_OPENBLAS}")
  endif()
  get_filename_component(openblas_path "${TAPEGRAD_OPENBLAS}" ABSOLUTE)
  set_property(
    SOURCE ${PROJECT_SOURCE_DIR}/cpp/tapegrad/kernels/blas/blas_library.cpp APPEND
    PROPERTY COMPILE_DEFINITIONS TAPEGRAD_OPENBLAS="${openblas_path}")
endif()
