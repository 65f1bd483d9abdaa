# videosync-media: the floor `maker`, a program of its own beside the server. It alone is linked with
# libav*, and nothing is linked with it: what films do to a decoder never happens in the server.
videosync_library(maker videosync_kernel fmt::fmt CLI11::CLI11 videosync::avformat videosync::avcodec
  videosync::avfilter videosync::swresample videosync::avutil)
add_executable(videosync-media maker/main.cpp)
target_link_libraries(videosync-media PRIVATE videosync_maker)
