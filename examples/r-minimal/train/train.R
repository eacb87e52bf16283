# Fits a boosted model of y on all other columns of a CSV file, and keeps it.
# Rscript train.R <CSV file> <number of trees> <folder of the model>
args <- commandArgs(trailingOnly = TRUE)
houses <- read.csv(args[1])
trees <- as.integer(args[2])
fit <- gbm::gbm(y ~ ., data = houses, distribution = "gaussian", n.trees = trees, n.minobsinnode = 5)
dir.create(args[3], showWarnings = FALSE, recursive = TRUE)
saveRDS(fit, file.path(args[3], "model.rds"))
cat("read", nrow(houses), "rows, fitted", trees, "trees\n")
