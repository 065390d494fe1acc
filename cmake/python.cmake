# The Python module and what travels inside its package: OpenBLAS (loaded lazily, by absolute path) and its licence.
find_package(Python 3.10 REQUIRED COMPONENTS Interpreter Development.Module)
file(GLOB_RECURSE binding_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/python/bindings/*.cpp)
if(NOT binding_sources)
  message(STATUS "python/bindings is empty: no module to build")
  return()
endif()

find_package(pybind11 3 CONFIG REQUIRED)
pybind11_add_module(_core MODULE NO_EXTRAS ${binding_sources})
target_link_libraries(_core PRIVATE tapegrad::core tapegrad_flags)
target_include_directories(_core PRIVATE ${PROJECT_SOURCE_DIR}/python)
# Each file that includes pybind11 reads all of it.
target_precompile_headers(
  _core PRIVATE <algorithm> <array> <cstdint> <functional> <memory> <optional> <span> <sstream> <string> <utility>
  <vector> <pybind11/numpy.h> <pybind11/pybind11.h> <pybind11/stl.h>)
install(TARGETS _core LIBRARY DESTINATION tapegrad COMPONENT python)

execute_process(
  COMMAND ${Python_EXECUTABLE} ${PROJECT_SOURCE_DIR}/cmake/find_openblas.py
  OUTPUT_VARIABLE openblas_files OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
if(openblas_files)
  install(FILES ${openblas_files} DESTINATION tapegrad/_libs COMPONENT python)
else()
  message(STATUS "scipy-openblas32 is not installed: the built-in BLAS kernels will be used")
endif()
