# The target pynn_blas: where cblas_sgemm and cblas_dgemm come from.
add_library(pynn_blas INTERFACE)
set(PYNN_BLAS_FILE "")

if(PYNN_BLAS STREQUAL "openblas-wheel")
  # The scipy-openblas32 package: OpenBLAS with run-time choice of kernels, its symbols prefixed scipy_.
  execute_process(
    COMMAND "${Python_EXECUTABLE}" -c
            "import scipy_openblas32; print(scipy_openblas32.get_lib_dir())"
    OUTPUT_VARIABLE PYNN_BLAS_DIR OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE PYNN_BLAS_FAILED)
  if(PYNN_BLAS_FAILED)
    message(FATAL_ERROR "The Python package scipy-openblas32 is missing: install it, or choose another "
                        "BLAS with -DPYNN_BLAS=openblas|mkl|accelerate.")
  endif()
  file(GLOB PYNN_BLAS_FILE "${PYNN_BLAS_DIR}/libscipy_openblas.so" "${PYNN_BLAS_DIR}/libscipy_openblas.dylib"
       "${PYNN_BLAS_DIR}/libscipy_openblas*.dll")
  if(WIN32)
    file(GLOB PYNN_BLAS_LINK "${PYNN_BLAS_DIR}/*.lib")
  else()
    set(PYNN_BLAS_LINK "${PYNN_BLAS_FILE}")
  endif()
  target_link_libraries(pynn_blas INTERFACE "${PYNN_BLAS_LINK}")
  target_compile_definitions(pynn_blas INTERFACE PYNN_OPENBLAS PYNN_BLAS_PREFIX=scipy_
                                                 PYNN_BLAS_NAME="OpenBLAS, carried in the package")
elseif(PYNN_BLAS STREQUAL "accelerate")
  target_link_libraries(pynn_blas INTERFACE "-framework Accelerate")
  target_compile_definitions(pynn_blas INTERFACE PYNN_BLAS_PREFIX= PYNN_BLAS_NAME="Accelerate")
elseif(PYNN_BLAS STREQUAL "mkl")
  set(BLA_VENDOR Intel10_64lp)
  find_package(BLAS REQUIRED)
  target_link_libraries(pynn_blas INTERFACE BLAS::BLAS)
  target_compile_definitions(pynn_blas INTERFACE PYNN_MKL PYNN_BLAS_PREFIX= PYNN_BLAS_NAME="MKL")
else()
  if(PYNN_BLAS STREQUAL "openblas")
    set(BLA_VENDOR OpenBLAS)
    target_compile_definitions(pynn_blas INTERFACE PYNN_OPENBLAS)
  else()
    set(BLA_VENDOR "${PYNN_BLAS}")
  endif()
  find_package(BLAS REQUIRED)
  target_link_libraries(pynn_blas INTERFACE BLAS::BLAS)
  target_compile_definitions(pynn_blas INTERFACE PYNN_BLAS_PREFIX= PYNN_BLAS_NAME="${BLA_VENDOR}")
endif()
