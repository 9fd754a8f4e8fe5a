# What every target of ours shares: C++20, warnings as errors, sanitizers, includes from the root.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

function(windrow_target name)
  target_compile_options(${name} PRIVATE -Wall -Wextra -Wpedantic -Werror
    -Wno-missing-field-initializers)  # members left out take their defaults, on purpose
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # False alarms of GCC 12: moved-from variants and optionals as "maybe uninitialized" (its bug
    # 105562), and `"text" + std::string` as overlapping copies (105329, 105651).
    target_compile_options(${name} PRIVATE -Wno-maybe-uninitialized -Wno-restrict)
  endif()
  target_include_directories(${name} PUBLIC $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}>)
  if(WINDROW_SANITIZE)
    target_compile_options(${name} PUBLIC -fsanitize=${WINDROW_SANITIZE} -fno-omit-frame-pointer -g1)
    target_link_options(${name} PUBLIC -fsanitize=${WINDROW_SANITIZE})
  endif()
endfunction()

# windrow_library(NAME source...): a static library of one room.
function(windrow_library name)
  add_library(${name} STATIC ${ARGN})
  windrow_target(${name})
endfunction()

# windrow_test(NAME [LIBRARIES lib...] [LABELS label...] source...): a GoogleTest program, one ctest.
function(windrow_test name)
  cmake_parse_arguments(T "" "TIMEOUT" "LIBRARIES;LABELS" ${ARGN})
  add_executable(${name} ${T_UNPARSED_ARGUMENTS})
  windrow_target(${name})
  target_link_libraries(${name} PRIVATE ${T_LIBRARIES} GTest::gtest GTest::gmock GTest::gtest_main)
  add_test(NAME ${name} COMMAND ${name})
  if(NOT T_TIMEOUT)
    set(T_TIMEOUT 120)
  endif()
  set_tests_properties(${name} PROPERTIES TIMEOUT ${T_TIMEOUT} LABELS "${T_LABELS}")
endfunction()
