# cmake --install: libraries, headers, command, loam.pc and loam_region.pc, the CMake package, man pages.
include(CMakePackageConfigHelpers)

install(TARGETS loam_shared loam_region_shared loam)
install(FILES "${loam_a}" "${loam_o}" "${loam_region_a}" DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(DIRECTORY include/loam DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" FILES_MATCHING PATTERN "*.h")
install(FILES "${PROJECT_BINARY_DIR}/include/loam/version.h" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/loam")

foreach(section 1 3 7)
    file(GLOB pages CONFIGURE_DEPENDS "docs/man/*.${section}")
    if(pages)
        install(FILES ${pages} DESTINATION "${CMAKE_INSTALL_MANDIR}/man${section}")
    endif()
endforeach()

# The .pc files and the package find the rest of the installation from where they lie themselves, so that
# a tree may be moved (or installed with --prefix) after it was configured.
cmake_path(IS_ABSOLUTE CMAKE_INSTALL_LIBDIR libdir_is_absolute)
if(libdir_is_absolute)
    set(loam_pc_prefix "${CMAKE_INSTALL_PREFIX}")
    set(loam_pc_libdir "${CMAKE_INSTALL_LIBDIR}")
else()
    file(RELATIVE_PATH up "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
    string(REGEX REPLACE "/$" "" up "${up}")
    set(loam_pc_prefix "\${pcfiledir}/${up}")
    set(loam_pc_libdir "\${prefix}/${CMAKE_INSTALL_LIBDIR}")
endif()
foreach(pc loam loam_region)
    configure_file(cmake/${pc}.pc.in ${pc}.pc @ONLY)
    install(FILES "${PROJECT_BINARY_DIR}/${pc}.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
endforeach()

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/loam")
configure_package_config_file(cmake/LoamConfig.cmake.in LoamConfig.cmake
    INSTALL_DESTINATION "${package_dir}" PATH_VARS CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_LIBDIR)
write_basic_package_version_file(LoamConfigVersion.cmake COMPATIBILITY SameMajorVersion)
install(FILES "${PROJECT_BINARY_DIR}/LoamConfig.cmake" "${PROJECT_BINARY_DIR}/LoamConfigVersion.cmake"
    DESTINATION "${package_dir}")
