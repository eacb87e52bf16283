# Installs packages from CRAN as it was on a day: binaries where the mirror has them for this distribution, else sources.
# Arguments: the mirror, the day, then each package as name or name@version. Stops at the first that is not installed.

arguments <- commandArgs(trailingOnly = TRUE)
mirror <- arguments[1]
day <- arguments[2]
wanted <- strsplit(arguments[-(1:2)], "@", fixed = TRUE)
pinned <- lengths(wanted) == 2

# Posit's mirrors give binaries to an R that says which one it is.
platform <- paste(getRversion(), R.version["platform"], R.version["arch"], R.version["os"])
options(HTTPUserAgent = sprintf("R/%s R (%s)", getRversion(), platform), timeout = 600, warn = 1)

release <- readLines("/etc/os-release")
codename <- gsub("^VERSION_CODENAME=|\"", "", grep("^VERSION_CODENAME=", release, value = TRUE))
sources <- sprintf("%s/%s", mirror, day)
binaries <- if (length(codename)) sprintf("%s/__linux__/%s/%s", mirror, codename, day) else sources
listed <- function(repository) {
  tryCatch(suppressWarnings(available.packages(repos = repository)), error = function(none) NULL)
}
repository <- if (NROW(listed(binaries))) binaries else sources
available <- listed(repository)
if (!NROW(available)) stop("the mirror has no packages at ", sources)
message("packages come from ", repository)

install <- function(names) install.packages(names, repos = repository, quiet = TRUE)

# A version that is not the day's own comes from the archive, after what it needs.
install_archived <- function(name, version) {
  file <- sprintf("%s_%s.tar.gz", name, version)
  path <- file.path(tempdir(), file)
  download.file(sprintf("%s/src/contrib/Archive/%s/%s", sources, name, file), path, quiet = TRUE)
  untar(path, files = file.path(name, "DESCRIPTION"), exdir = tempdir())
  description <- read.dcf(file.path(tempdir(), name, "DESCRIPTION"))
  fields <- intersect(c("Depends", "Imports", "LinkingTo"), colnames(description))
  needed <- sub("[[:space:](].*", "", trimws(unlist(strsplit(description[, fields], ","))))
  missing <- setdiff(needed, c("R", "", rownames(installed.packages())))
  if (length(missing)) install(missing)
  install.packages(path, repos = NULL, type = "source", quiet = TRUE)
}

# Pinned ones are last, so that no other brings a newer version.
for (package in c(wanted[!pinned], wanted[pinned])) {
  name <- package[1]
  version <- package[2]
  is_listed <- name %in% rownames(available)
  is_current <- is_listed && (is.na(version) || package_version(available[name, "Version"]) == version)
  if (is_current) {
    install(name)
  } else if (is.na(version)) {
    stop("the mirror has no package ", name, " on ", day)
  } else {
    install_archived(name, version)
  }
}

# A package may have brought another version of one before it, and an image may have had an old one.
for (package in wanted) {
  name <- package[1]
  version <- if (is.na(package[2])) available[name, "Version"] else package[2]
  if (!requireNamespace(name, quietly = TRUE)) stop("the package ", name, " was not installed; the lines above say why")
  if (packageVersion(name) != version) {
    stop("the package ", name, " has version ", packageVersion(name), ", and not ", version)
  }
}
