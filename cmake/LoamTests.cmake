# The tests that see the inside: tests/unit/*.c and tests/region/*.c, each a program of its own on
# loam_core. (./test compiles the others, which see only the library.) The first lines of a file may
# ask for more libraries: "// TEST: libs=-lm".
add_custom_target(loam_tests)
if(NOT loam_products)
    add_custom_target(loam_tests_all ALL DEPENDS loam_tests)
endif()

foreach(group unit region)
    file(GLOB test_sources CONFIGURE_DEPENDS "tests/${group}/*.c")
    foreach(source IN LISTS test_sources)
        get_filename_component(name "${source}" NAME_WE)
        set(target "test_${group}_${name}")
        add_executable(${target} EXCLUDE_FROM_ALL "${source}")
        set_target_properties(${target} PROPERTIES OUTPUT_NAME "${name}"
            RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/tests/${group}")
        target_include_directories(${target} PRIVATE ${loam_includes} "${PROJECT_SOURCE_DIR}/tests/${group}")
        target_compile_definitions(${target} PRIVATE LOAM_NO_REPLACE=1)
        target_link_libraries(${target} PRIVATE loam_flags_warnings loam_core -pthread)
        # Tests look at blocks after free and compare pointers on purpose; and need their asserts.
        target_compile_options(${target} PRIVATE -UNDEBUG -fno-builtin)
        file(STRINGS "${source}" directives LIMIT_COUNT 15 REGEX "^// TEST: *(libs|cflags)=")
        foreach(line IN LISTS directives)
            string(REGEX REPLACE "^// TEST: *(libs|cflags)=" "" words "${line}")
            separate_arguments(words UNIX_COMMAND "${words}")
            if(line MATCHES "^// TEST: *libs=")
                target_link_libraries(${target} PRIVATE ${words})
            else()
                target_compile_options(${target} PRIVATE ${words})
            endif()
        endforeach()
        add_dependencies(loam_tests ${target})
    endforeach()
endforeach()
