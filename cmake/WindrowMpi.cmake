# The modules that know MPI: one source file, built once for each ABI that MPI libraries have, against
# the C interface alone. Loaded at run time under a launcher; windrow itself needs none of them.
#
#   ompi    libmpi.so.40      Open MPI 4 and 5
#   mpich   libmpi.so.12      MPICH, Intel MPI, MVAPICH, Cray MPICH
#   abi     libmpi_abi.so.1   the ABI of MPI 5.0
#
# The MPI that find_package(MPI) finds gives one of the first two; the others come from what
# scripts/setup fetches. A module whose headers are nowhere is left out.
include(WindrowDeps)
set(WINDROW_MPICH ${WINDROW_DEPS_FOLDER}/mpich-5.0.2 CACHE PATH "prefix of MPICH: include/, lib/")
set(WINDROW_OPENMPI ${WINDROW_DEPS_FOLDER}/openmpi-5.0.11 CACHE PATH "prefix of Open MPI")

# Links `library`, a target or a file; `include` where that says nothing of headers.
function(windrow_mpi_module kind library include)
  add_library(windrow_mpi_${kind} MODULE transport/mpi_link.cpp)
  windrow_target(windrow_mpi_${kind})
  if(include)
    target_include_directories(windrow_mpi_${kind} SYSTEM PRIVATE ${include})
  endif()
  # Without the C++ bindings, which newer libraries don't have.
  target_compile_definitions(windrow_mpi_${kind} PRIVATE OMPI_SKIP_MPICXX MPICH_SKIP_MPICXX ${ARGN})
  target_link_libraries(windrow_mpi_${kind} PRIVATE ${library})
  set_target_properties(windrow_mpi_${kind} PROPERTIES
    SKIP_BUILD_RPATH ON  # the library is the one of the machine and the launcher
    LIBRARY_OUTPUT_DIRECTORY ${CMAKE_RUNTIME_OUTPUT_DIRECTORY})
  install(TARGETS windrow_mpi_${kind} LIBRARY DESTINATION lib/windrow)
endfunction()

find_package(MPI COMPONENTS C)
if(MPI_C_FOUND)
  set(_kind mpich)
  foreach(_folder IN LISTS MPI_C_INCLUDE_DIRS)
    if(EXISTS ${_folder}/mpi.h)
      file(STRINGS ${_folder}/mpi.h _open REGEX "define OMPI_MAJOR_VERSION|define OPEN_MPI")
      if(_open)
        set(_kind ompi)
      endif()
    endif()
  endforeach()
  windrow_mpi_module(${_kind} MPI::MPI_C "")
endif()
if(NOT TARGET windrow_mpi_ompi AND EXISTS ${WINDROW_OPENMPI}/lib/libmpi.so.40)
  windrow_mpi_module(ompi ${WINDROW_OPENMPI}/lib/libmpi.so.40 ${WINDROW_OPENMPI}/include)
endif()
if(NOT TARGET windrow_mpi_mpich AND EXISTS ${WINDROW_MPICH}/lib/libmpi.so.12)
  windrow_mpi_module(mpich ${WINDROW_MPICH}/lib/libmpi.so.12 ${WINDROW_MPICH}/include)
endif()
if(EXISTS ${WINDROW_MPICH}/lib/libmpi_abi.so.1)
  windrow_mpi_module(abi ${WINDROW_MPICH}/lib/libmpi_abi.so.1 ${WINDROW_MPICH}/include
                     WINDROW_MPI_ABI)
endif()
foreach(_kind ompi mpich abi)
  if(NOT TARGET windrow_mpi_${_kind})
    message(STATUS "windrow: no transport for MPI libraries of the kind '${_kind}': their headers "
                   "are not here (scripts/setup fetches them)")
  endif()
endforeach()
