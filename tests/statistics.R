# SPDX-License-Identifier: GPL-2.0-only
# The statistics of reports/ against R: the same data, two programs, 1e-9 relative. What R has, R
# computes (t.test, p.adjust, pchisq); the rest is written down from its definition, not from our code.
# Usage: Rscript statistics.R PROGRAM
program <- commandArgs(trailingOnly = TRUE)[1]
set.seed(20261122)
failures <- 0
compared <- 0

ours <- function(line) {
  answer <- system2(program, input = line, stdout = TRUE)
  as.numeric(strsplit(answer, " ")[[1]])
}

near <- function(what, value, expected, tolerance = 1e-9) {
  compared <<- compared + length(expected)
  off <- abs(value - expected) > tolerance * pmax(abs(expected), 1e-300)
  if (length(value) != length(expected) || any(is.na(off)) || any(off)) {
    failures <<- failures + 1
    cat("DIFFERENT:", what, "\n  ours:", format(value, digits = 17),
        "\n  R:   ", format(expected, digits = 17), "\n")
  }
}

digits <- function(x) paste(formatC(x, digits = 17, format = "g"), collapse = " ")

# ---- all arrangements, one by one ------------------------------------------------------

# The differences of one stratum under every arrangement of its labels.
arranged <- function(s) {
  if (is.null(s$a)) {
    signs <- as.matrix(expand.grid(rep(list(c(-1, 1)), length(s$b))))
    return(as.vector(signs %*% s$b) / length(s$b))
  }
  all <- c(s$b, s$a)
  chosen <- combn(length(all), length(s$b))
  apply(chosen, 2, function(i) mean(all[i]) - mean(all[-i]))
}

shown <- function(s) if (is.null(s$a)) mean(s$b) else mean(s$b) - mean(s$a)

permutation_p <- function(strata) {
  sums <- 0
  for (s in strata) sums <- as.vector(outer(sums, arranged(s) / length(strata), "+"))
  seen <- mean(sapply(strata, shown))
  c(mean(abs(sums) >= abs(seen) * (1 - 1e-10)), length(sums))
}

# ---- t tests ----------------------------------------------------------------------------

t_figures <- function(strata, low, high) {
  w <- 1 / length(strata)
  parts <- list()
  for (s in strata) {
    parts <- c(parts, list(c(var(s$b) / length(s$b), length(s$b) - 1)))
    if (!is.null(s$a)) parts <- c(parts, list(c(var(s$a) / length(s$a), length(s$a) - 1)))
  }
  v <- sapply(parts, function(p) w^2 * p[1])
  nu <- sapply(parts, function(p) p[2])
  se <- sqrt(sum(v))
  df <- sum(v)^2 / sum(v^2 / nu)
  m <- mean(sapply(strata, shown))
  if (length(strata) == 1) {
    s <- strata[[1]]
    tt <- function(mu, side) if (is.null(s$a)) t.test(s$b, mu = mu, alternative = side)
                             else t.test(s$b, s$a, mu = mu, alternative = side)
    r <- tt(0, "two.sided")
    near("R's own standard error and degrees", c(se, df), unname(c(r$stderr, r$parameter)))
    tost <- max(tt(low, "greater")$p.value, tt(high, "less")$p.value)
  } else {
    tost <- max(pt((m - low) / se, df, lower.tail = FALSE), pt((m - high) / se, df))
  }
  c(m, se, df, tost)
}

# ---- BCa, the bootstrap's distribution by its saddlepoint ----------------------------------

groups_of <- function(strata) {
  w <- 1 / length(strata)
  out <- list()
  for (s in strata) {
    out <- c(out, list((s$b - mean(s$b)) * w / length(s$b)))
    if (!is.null(s$a)) out <- c(out, list(-(s$a - mean(s$a)) * w / length(s$a)))
  }
  out
}

r_star <- function(groups, t) {
  k <- k1 <- k2 <- 0
  for (g in groups) {
    e <- exp(t * g)
    k <- k + length(g) * log(mean(e))
    k1 <- k1 + length(g) * sum(g * e) / sum(e)
    k2 <- k2 + length(g) * (sum(g^2 * e) / sum(e) - (sum(g * e) / sum(e))^2)
  }
  r <- sign(t) * sqrt(2 * (t * k1 - k))
  c(r + log(t * sqrt(k2) / r) / r, k1)
}

bca_points <- function(strata, confidence, se, df) {
  groups <- groups_of(strata)
  x <- unlist(groups)
  a <- sum(x^3) / (6 * sum(x^2)^1.5)
  sapply(c(-1, 1), function(side) {
    d <- side * qt(0.5 + confidence / 2, df) * se / sqrt(sum(x^2))
    z <- a + (a + d) / (1 - a * (a + d))
    scale <- 1 / sqrt(sum(x^2))
    f <- function(t) r_star(groups, t)[1] - z
    far <- side * scale * seq(0.2, 12, by = 0.2)
    reached <- which(side * sapply(far, f) >= 0)[1]
    if (is.na(reached)) return(NA)
    at <- uniroot(f, sort(c(far[reached], if (reached > 1) far[reached - 1] else far[1] / 1e4)),
                  tol = 1e-15 * scale, maxiter = 1000)$root
    r_star(groups, at)[2]
  })
}

interval <- function(strata, confidence) {
  f <- t_figures(strata, -1, 1)
  student <- qt(0.5 + confidence / 2, f[3]) * f[2]
  points <- bca_points(strata, confidence, f[2], f[3])
  c(f[1] + min(points[1], -student, na.rm = TRUE), f[1] + max(points[2], student, na.rm = TRUE))
}

# The saddlepoint against a million draws: within half a hundredth of the interval's width.
check_saddlepoint <- function(strata) {
  groups <- groups_of(strata)
  draws <- rowSums(sapply(groups, function(g)
    rowSums(matrix(sample(g, 2e5 * length(g), replace = TRUE), 2e5))))
  x <- unlist(groups)
  for (z in c(-2.2, -1, 1, 2.2)) {
    t <- uniroot(function(t) r_star(groups, t)[1] - z, sort(c(sign(z) * 0.01, 4 * z)) /
                 sqrt(sum(x^2)), tol = 1e-10)$root
    off <- abs(r_star(groups, t)[2] - quantile(draws, pnorm(z))) / diff(quantile(draws, c(.025, .975)))
    near("the saddlepoint and 200,000 draws", 1 + unname(off), 1, 0.02)
  }
}

# ---- cases ---------------------------------------------------------------------------------

check <- function(what, strata, confidence = 0.95) {
  line <- paste("test", length(strata), digits(c(confidence, -0.1, 0.12)))
  for (s in strata) line <- paste(line, length(s$a), length(s$b), digits(c(s$a, s$b)))
  values <- ours(line)
  near(paste(what, "p, arrangements"), values[1:2], permutation_p(strata))
  near(paste(what, "mean, se, degrees, TOST"), values[4:7], t_figures(strata, -0.1, 0.12))
  near(paste(what, "interval"), values[8:9], interval(strata, confidence))
  if (requireNamespace("coin", quietly = TRUE) && length(strata) == 1 && !is.null(strata[[1]]$a)) {
    s <- strata[[1]]
    d <- data.frame(y = c(s$a, s$b), g = factor(rep(1:2, c(length(s$a), length(s$b)))))
    p <- as.numeric(coin::pvalue(coin::oneway_test(y ~ g, d, distribution = "exact")))
    near(paste(what, "p in coin"), values[1], p)
  }
}

two <- function(n, m, shift = 0.1, draw = rnorm) list(a = 0.2 * draw(n), b = shift + 0.2 * draw(m))
pairs <- function(n, shift = 0.1, draw = rnorm) list(a = NULL, b = shift + 0.2 * draw(n))

for (i in 1:5) {
  check("6 v 6", list(two(6, 6)))
  check("6 v 10", list(two(6, 10)))
  check("5 v 12, skewed", list(two(5, 12, 0.2, rexp)))
  check("10 pairs", list(pairs(10)))
  check("14 pairs, skewed, 99 %", list(pairs(14, 0.1, rexp)), 0.99)
  check("3 machines", list(two(4, 4), two(3, 5), two(4, 3)))
  check("pairs on 2 machines", list(pairs(6), pairs(5)))
  check("pairs and groups", list(pairs(6), two(4, 5)))
}
check("whole numbers with ties", list(list(a = c(1, 2, 2, 3, 5, 5, 7), b = c(2, 3, 3, 5, 8, 9))))
check_saddlepoint(list(two(6, 6)))
check_saddlepoint(list(pairs(10, 0.1, rexp)))

for (n in c(1, 5, 40)) {
  p <- runif(n)^3
  near("Holm", ours(paste("holm", n, digits(p))), p.adjust(p, "holm"))
  near("Benjamini-Hochberg", ours(paste("bh", n, digits(p))), p.adjust(p, "BH"))
}

# Maximum likelihood of a generalised Pareto distribution in cells: Newton's method on derivatives by
# complex steps, which have all digits.
check_pareto <- function(shape) {
  u <- runif(400)
  x <- if (shape == 0) -log(u) else (u^-shape - 1) / shape
  ends <- c(seq(0.1, 0.1 * ceiling(max(x) / 0.1) + 0.05, by = 0.1), Inf)
  counts <- as.vector(table(cut(x, c(0, ends))))
  above <- function(v, y) ifelse(is.infinite(y), 0 + 0i, exp(-log(1 + v[2] * y / exp(v[1])) / v[2]))
  minus <- function(v) -sum(counts * log(above(v, c(0, head(ends, -1))) - above(v, ends)))
  gradient <- function(v) sapply(1:2, function(i) Im(minus(replace(v + 0i, i, v[i] + 1e-30i))) / 1e-30)
  v <- optim(c(0, 0.1), function(v) { r <- suppressWarnings(Re(minus(v + 0i))); if (is.finite(r)) r else 1e10 })$par
  for (i in 1:20) {
    h <- sapply(1:2, function(j) {
      d <- replace(c(0, 0), j, 1e-5)
      (gradient(v + d) - gradient(v - d)) / 2e-5
    })
    v <- v - solve(h, gradient(v))
  }
  near(paste("Pareto, shape", shape), ours(paste("pareto", length(ends), digits(ends), digits(counts)))[1:2],
       c(v[2], exp(v[1])))
}
for (shape in c(-0.2, 0.1, 0.3)) check_pareto(shape)

cat(compared, "figures compared,", failures, "comparisons failed\n")
quit(status = failures > 0)
