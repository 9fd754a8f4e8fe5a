# LibTorch from the PyPI wheel: a folder made with `pip install --target`, which holds torch/ and
# nvidia/. Defines the imported target WindrowTorch::torch.
#
# The targets are written by hand because find_package(Torch) of the wheel asks for nvcc and the
# whole CUDA toolkit; a program that has no .cu files needs the libraries only, and the CPU trainer
# not even libtorch_cuda and the 2 GB of libraries behind it.
#
# Inputs: WINDROW_DEVICE (cpu or cuda), WINDROW_TORCH_ROOT.
set(WINDROW_TORCH_VERSION 2.11.0)

include(WindrowDeps)
set(WINDROW_TORCH_ROOT ${WINDROW_DEPS_FOLDER}/torch-${WINDROW_TORCH_VERSION}-${WINDROW_DEVICE}
    CACHE PATH "pip --target folder of the torch wheel: contains torch/ and nvidia/")

set(_lib ${WINDROW_TORCH_ROOT}/torch/lib)
set(_needed ${_lib}/libtorch_cpu.so ${_lib}/libc10.so ${_lib}/libgomp.so.1
            ${WINDROW_TORCH_ROOT}/torch/include/ATen/ATen.h)
if(WINDROW_DEVICE STREQUAL "cuda")
  # The wheels for CUDA 13 have all of it in one folder, those for CUDA 12 a folder a library. The
  # newest that is there; where there is none, the first is what is told to be missing.
  file(GLOB _runtimes ${WINDROW_TORCH_ROOT}/nvidia/cu13/lib/libcudart.so.13
       ${WINDROW_TORCH_ROOT}/nvidia/cuda_runtime/lib/libcudart.so.12)
  list(APPEND _runtimes ${WINDROW_TORCH_ROOT}/nvidia/cu13/lib/libcudart.so.13)
  list(GET _runtimes 0 _cudart)
  cmake_path(GET _cudart PARENT_PATH _cuda_include)
  cmake_path(REPLACE_FILENAME _cuda_include include)
  file(GLOB _cuda_includes LIST_DIRECTORIES true ${WINDROW_TORCH_ROOT}/nvidia/*/include)
  list(APPEND _needed ${_lib}/libtorch_cuda.so ${_lib}/libc10_cuda.so ${_cudart}
              ${_cuda_include}/cuda_runtime_api.h)
elseif(NOT WINDROW_DEVICE STREQUAL "cpu")
  message(FATAL_ERROR "WINDROW_DEVICE is '${WINDROW_DEVICE}'; it must be cpu or cuda")
endif()
foreach(file ${_needed})
  if(NOT EXISTS ${file})
    message(FATAL_ERROR
      "LibTorch ${WINDROW_TORCH_VERSION} for ${WINDROW_DEVICE} is not complete: ${file} is missing.\n"
      "Run `scripts/setup` (with --cuda for the cuda preset), or set WINDROW_TORCH_ROOT to the "
      "folder of `pip install --target FOLDER torch==${WINDROW_TORCH_VERSION}`, or build without "
      "the trainer: -DWINDROW_TRAINER=OFF.")
  endif()
endforeach()

# libtorch_cpu.so itself needs libcudart and libcupti: all folders of nvidia/ go on the rpath.
file(GLOB _nvidia_libs LIST_DIRECTORIES true ${WINDROW_TORCH_ROOT}/nvidia/*/lib)
set(WINDROW_TORCH_RPATH ${_lib} ${_nvidia_libs})

if(NOT TARGET WindrowTorch::torch)
  add_library(WindrowTorch::torch INTERFACE IMPORTED)
  target_include_directories(WindrowTorch::torch SYSTEM INTERFACE
    ${WINDROW_TORCH_ROOT}/torch/include ${WINDROW_TORCH_ROOT}/torch/include/torch/csrc/api/include)
  # The wheel is built with the C++11 ABI of libstdc++.
  target_compile_definitions(WindrowTorch::torch INTERFACE _GLIBCXX_USE_CXX11_ABI=1)
  # at::parallel_for is an OpenMP loop in a header, and one process must have one OpenMP runtime:
  # the wheel's.
  target_compile_options(WindrowTorch::torch INTERFACE -fopenmp)
  target_link_libraries(WindrowTorch::torch INTERFACE
    ${_lib}/libtorch_cpu.so ${_lib}/libc10.so ${_lib}/libgomp.so.1 Threads::Threads)
  set(_rpath_link ${WINDROW_TORCH_RPATH})
  list(JOIN _rpath_link ":" _rpath_link)
  target_link_options(WindrowTorch::torch INTERFACE -Wl,-rpath-link,${_rpath_link})
  if(WINDROW_DEVICE STREQUAL "cuda")
    target_include_directories(WindrowTorch::torch SYSTEM INTERFACE
      ${_cuda_include} ${_cuda_includes})
    # Nothing refers to libtorch_cuda by symbol: its operators register themselves when it loads.
    target_link_libraries(WindrowTorch::torch INTERFACE
      -Wl,--push-state,--no-as-needed ${_lib}/libtorch_cuda.so -Wl,--pop-state
      ${_lib}/libc10_cuda.so ${_cudart})
  endif()
endif()
