# The folder outside the checkout where scripts/setup puts what it fetches: WINDROW_DEPS_FOLDER.
if(DEFINED ENV{WINDROW_DEPS})
  set(WINDROW_DEPS_FOLDER $ENV{WINDROW_DEPS})
elseif(DEFINED ENV{XDG_CACHE_HOME})
  set(WINDROW_DEPS_FOLDER $ENV{XDG_CACHE_HOME}/windrow)
else()
  set(WINDROW_DEPS_FOLDER $ENV{HOME}/.cache/windrow)
endif()
