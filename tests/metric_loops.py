"""The metrics once more, slowly and readably, pixel by pixel from their definitions: the oracle of the vectorised ones.

Nothing here comes from `ivfnb`. Images are 2-D arrays of levels 0..255; every function takes (fused, infrared, visible).
"""

from math import atan, exp, log2, log10, pi, sqrt

import numpy as np


def padded(image, border, margin=1):
    return np.pad(np.asarray(image, float), margin, mode=border)


def sobel(image, border):
    """Rightward and downward Sobel sums of every pixel."""
    big = padded(image, border)
    right, down = np.zeros(image.shape), np.zeros(image.shape)
    for y in range(image.shape[0]):
        for x in range(image.shape[1]):
            w = big[y : y + 3, x : x + 3]
            right[y, x] = (w[0, 2] + 2 * w[1, 2] + w[2, 2]) - (w[0, 0] + 2 * w[1, 0] + w[2, 0])
            down[y, x] = (w[2, 0] + 2 * w[2, 1] + w[2, 2]) - (w[0, 0] + 2 * w[0, 1] + w[0, 2])
    return right, down


def histogram(image):
    counts = [0] * 256
    for level in np.asarray(image, float).ravel():
        counts[int(np.floor(level + 0.5))] += 1
    return [count / image.size for count in counts]


def entropy_of(shares):
    return -sum(p * log2(p) for p in shares if p > 0)


def mutual(first, second):
    joint = {}
    for a, b in zip(np.asarray(first, float).ravel(), np.asarray(second, float).ravel(), strict=True):
        key = int(np.floor(a + 0.5)), int(np.floor(b + 0.5))
        joint[key] = joint.get(key, 0) + 1 / first.size
    p, q = histogram(first), histogram(second)
    return sum(share * log2(share / (p[a] * q[b])) for (a, b), share in joint.items())


def pearson(first, second):
    a, b = (np.asarray(image, float).ravel() for image in (first, second))
    if a.min() == a.max() or b.min() == b.max():
        return 0.0
    a, b = a - sum(a) / len(a), b - sum(b) / len(b)
    return sum(a * b) / sqrt(sum(a * a) * sum(b * b))


def ei(fused, infrared, visible):
    right, down = sobel(fused, "edge")
    return sum(sqrt(r * r + d * d) for r, d in zip(right.ravel(), down.ravel(), strict=True)) / fused.size


def ce(fused, infrared, visible):
    q = histogram(fused)
    total = 0.0
    for source in (infrared, visible):
        total += sum(a * log2(a / b) for a, b in zip(histogram(source), q, strict=True) if a > 0 and b > 0)
    return total / 2


def sf(fused, infrared, visible):
    image, total = np.asarray(fused, float), 0.0
    for y in range(image.shape[0]):
        for x in range(image.shape[1]):
            total += (image[y, x] - image[y, x - 1]) ** 2 if x > 0 else 0
            total += (image[y, x] - image[y - 1, x]) ** 2 if y > 0 else 0
    return sqrt(total / image.size)


def en(fused, infrared, visible):
    return entropy_of(histogram(fused))


def sd(fused, infrared, visible):
    mean = sum(float(v) for v in fused.ravel()) / fused.size
    return sqrt(sum((float(v) - mean) ** 2 for v in fused.ravel()) / (fused.size - 1))


def df(fused, infrared, visible):
    image, total = np.asarray(fused, float), 0.0
    for y in range(image.shape[0] - 1):
        for x in range(image.shape[1] - 1):
            total += sqrt(((image[y, x + 1] - image[y, x]) ** 2 + (image[y + 1, x] - image[y, x]) ** 2) / 2)
    return total / (image.shape[0] - 1) / (image.shape[1] - 1)


def qabf(fused, infrared, visible):
    """As the released evaluator: angles with the vertical axis upwards, pi/2 where the horizontal sum is 0; equal strengths give gF."""
    edges = []
    for image in (fused, infrared, visible):
        right, down = sobel(image, "constant")
        strength, angle = np.zeros(image.shape), np.full(image.shape, pi / 2)
        for i in np.ndindex(image.shape):
            strength[i] = sqrt(right[i] ** 2 + down[i] ** 2)
            if right[i] != 0:
                angle[i] = atan(-down[i] / right[i])
        edges.append((strength, angle))
    (gf, af), kept, total = edges[0], 0.0, 0.0
    for gx, ax in edges[1:]:
        for i in np.ndindex(fused.shape):
            ratio = gf[i] if gx[i] == gf[i] else min(gx[i], gf[i]) / max(gx[i], gf[i])
            angle = 1 - abs(ax[i] - af[i]) / (pi / 2)
            quality = 0.9994 / (1 + exp(-15 * (ratio - 0.5))) * 0.9879 / (1 + exp(-22 * (angle - 0.8)))
            kept, total = kept + quality * gx[i], total + gx[i]
    return kept / total if total else 0.0


def nabf(fused, infrared, visible):
    """As the released evaluator: its angle is atan(horizontal/vertical), 0 where both are 0."""
    edges = []
    for image in (fused, infrared, visible):
        right, down = sobel(image, "reflect")
        strength, angle = np.zeros(image.shape), np.zeros(image.shape)
        for i in np.ndindex(image.shape):
            strength[i] = sqrt((right[i] / 8) ** 2 + (down[i] / 8) ** 2)
            if down[i] != 0:
                angle[i] = atan(right[i] / down[i])
            elif right[i] != 0:
                angle[i] = pi / 2 if right[i] > 0 else -pi / 2
        edges.append((strength, angle))
    (gf, af), unexplained, total = edges[0], 0.0, 0.0
    for gx, ax in edges[1:]:
        for i in np.ndindex(fused.shape):
            ratio = 0.0 if gx[i] == 0 or gf[i] == 0 else min(gx[i], gf[i]) / max(gx[i], gf[i])
            angle = abs(abs(ax[i] - af[i]) - pi / 2) * 2 / pi
            kept = sqrt(0.9999 / (1 + exp(-19 * (ratio - 0.5))) * 0.9995 / (1 + exp(-22 * (angle - 0.5))))
            weight = gx[i] ** 1.5 if gx[i] >= 2 else 0.001
            total += weight
            if gf[i] > edges[1][0][i] and gf[i] > edges[2][0][i]:
                unexplained += (1 - kept) * weight
    return unexplained / total


def scd(fused, infrared, visible):
    f, a, b = (np.asarray(image, float) for image in (fused, infrared, visible))
    return pearson(f - b, a) + pearson(f - a, b)


def mi(fused, infrared, visible):
    return mutual(infrared, fused) + mutual(visible, fused)


def window(side, sigma):
    weights = np.zeros((side, side))
    for y in range(side):
        for x in range(side):
            weights[y, x] = exp(-((y - side // 2) ** 2 + (x - side // 2) ** 2) / (2 * sigma**2))
    return weights / weights.sum()


def local(weights, first, second):
    """Weighted means, variances and covariance of all whole windows: m1, m2, v1, v2, c, each (h, w)."""
    side = len(weights)
    shape = first.shape[0] - side + 1, first.shape[1] - side + 1
    result = np.zeros((5, *shape))
    for y, x in np.ndindex(shape):
        a, b = (image[y : y + side, x : x + side] for image in (first, second))
        m1, m2 = (weights * a).sum(), (weights * b).sum()
        variances = (weights * (a - m1) ** 2).sum(), (weights * (b - m2) ** 2).sum(), (weights * (a - m1) * (b - m2)).sum()
        result[:, y, x] = m1, m2, *variances
    return result


def vif_scales(fused, source):
    """(gain, unexplained variance, source variance) maps of four scales."""
    source, fused = np.asarray(source, float), np.asarray(fused, float)
    for side in (17, 9, 5, 3):
        weights = window(side, side / 5)
        if side < 17:
            m1, m2, _, _, _ = local(weights, source, fused)
            source, fused = m1[::2, ::2], m2[::2, ::2]
        _, _, v1, v2, both = local(weights, source, fused)
        gain, rest, variance = np.zeros(v1.shape), np.zeros(v1.shape), np.zeros(v1.shape)
        for i in np.ndindex(v1.shape):
            g, s, v = both[i] / (v1[i] + 1e-10), v2[i] - both[i] / (v1[i] + 1e-10) * both[i], v1[i]
            if v1[i] < 1e-10:
                g, s, v = 0.0, v2[i], 0.0
            if v2[i] < 1e-10:
                g, s = 0.0, 0.0
            elif g < 0 or both[i] < 1e-10:
                g, s = 0.0, v2[i]
            gain[i], rest[i], variance[i] = g, max(s, 1e-10), v
        yield gain, rest, variance


def viff(fused, infrared, visible):
    result, noise = 0.0, 0.005 * 255**2
    scales = zip(vif_scales(fused, infrared), vif_scales(fused, visible), (1, 0, 0.15, 1), strict=True)
    for infrared_maps, visible_maps, weight in scales:
        seen = there = 0.0
        for i in np.ndindex(infrared_maps[0].shape):
            gain, rest, variance = (m[i] for m in (infrared_maps if infrared_maps[0][i] < visible_maps[0][i] else visible_maps))
            seen += log10(1 + gain**2 * variance / (rest + noise)) + 1e-7
            there += log10(1 + variance / noise) + 1e-7
        result += weight / 2.15 * seen / there
    return result


def vif(fused, infrared, visible):
    values = []
    for source in (infrared, visible):
        seen = there = 0.0
        for gain, rest, variance in vif_scales(fused, source):
            for g, r, v in zip(gain.ravel(), rest.ravel(), variance.ravel(), strict=True):
                seen, there = seen + log10(1 + g * g * v / (r + 2)), there + log10(1 + v / 2)
        values.append(seen / there if there else 1.0)
    return sum(values) / 2


def ag(fused, infrared, visible):
    image, total = np.asarray(fused, float), 0.0
    height, width = image.shape
    for y in range(height):
        for x in range(width):
            left, right, up, down = max(x - 1, 0), min(x + 1, width - 1), max(y - 1, 0), min(y + 1, height - 1)
            gx, gy = (image[y, right] - image[y, left]) / (right - left), (image[down, x] - image[up, x]) / (down - up)
            total += sqrt((gx**2 + gy**2) / 2)
    return total / ((height - 1) * (width - 1))


def squared_error(first, second):
    return sum((float(a) - float(b)) ** 2 for a, b in zip(first.ravel(), second.ravel(), strict=True)) / first.size


def psnr(fused, infrared, visible):
    error = (squared_error(infrared, fused) + squared_error(visible, fused)) / 2
    return 10 * log10(255**2 / error) if error else float("inf")


def rmse(fused, infrared, visible):
    return (sqrt(squared_error(infrared, fused)) + sqrt(squared_error(visible, fused))) / 2


def ssim_maps(first, second, weights, c1, c2):
    m1, m2, v1, v2, both = local(weights, np.asarray(first, float), np.asarray(second, float))
    return (2 * m1 * m2 + c1) / (m1**2 + m2**2 + c1), (2 * both + c2) / (v1 + v2 + c2), v1, v2


def ssim(fused, infrared, visible):
    values = []
    for source in (infrared, visible):
        luminance, structure, _, _ = ssim_maps(source, fused, window(11, 1.5), 2.55**2, 7.65**2)
        values.append((luminance * structure).mean())
    return sum(values) / 2


def halve(image):
    height, width = image.shape
    half = np.zeros(((height + 1) // 2, (width + 1) // 2))
    for y, x in np.ndindex(half.shape):
        rows, columns = (2 * y, min(2 * y + 1, height - 1)), (2 * x, min(2 * x + 1, width - 1))
        half[y, x] = sum(image[r, c] for r in rows for c in columns) / 4
    return half


def ms_ssim(fused, infrared, visible):
    values = []
    for source in (infrared, visible):
        first, second, value = np.asarray(source, float), np.asarray(fused, float), 1.0
        for scale, weight in enumerate((0.0448, 0.2856, 0.3001, 0.2363, 0.1333)):
            first, second = (halve(first), halve(second)) if scale else (first, second)
            luminance, structure, _, _ = ssim_maps(first, second, window(11, 1.5), 2.55**2, 7.65**2)
            value *= max((luminance * structure if scale == 4 else structure).mean(), 0) ** weight
        values.append(value)
    return sum(values) / 2


def cc(fused, infrared, visible):
    return (pearson(infrared, fused) + pearson(visible, fused)) / 2


def nmi(fused, infrared, visible):
    total = 0.0
    for source in (infrared, visible):
        entropies = entropy_of(histogram(source)) + entropy_of(histogram(fused))
        total += 2 * mutual(source, fused) / entropies if entropies else 0.0
    return total


def qncie(fused, infrared, visible):
    ab, af, bf = mutual(infrared, visible) / 8, mutual(infrared, fused) / 8, mutual(visible, fused) / 8
    eigenvalues = np.linalg.eigvals(np.array([[1, ab, af], [ab, 1, bf], [af, bf, 1]])).real
    return 1 + sum(r / 3 * log2(r / 3) / 8 for r in eigenvalues if r > 0)


def qy(fused, infrared, visible):
    def similarity(first, second):
        luminance, structure, v1, v2 = ssim_maps(first, second, window(7, 1.5), 2e-16, 2e-16)
        for i in np.ndindex(v1.shape):  # flat windows: rounding must not decide
            a, b = v1[i] if v1[i] >= 1e-10 else 0.0, v2[i] if v2[i] >= 1e-10 else 0.0
            v1[i], v2[i] = a, b
            if a == 0 or b == 0:
                structure[i] = 2e-16 / (a + b + 2e-16)
        return luminance * structure, v1, v2

    between, v1, v2 = similarity(infrared, visible)
    first, second = similarity(infrared, fused)[0], similarity(visible, fused)[0]
    total = 0.0
    for i in np.ndindex(between.shape):
        weight = v1[i] / (v1[i] + v2[i]) if v1[i] + v2[i] > 0 else 0.5
        total += weight * first[i] + (1 - weight) * second[i] if between[i] >= 0.75 else max(first[i], second[i])
    return total / between.size


def stretched(image):
    low, high = float(image.min()), float(image.max())
    if low == high:
        return np.zeros(image.shape)
    return np.array([[np.floor((float(v) - low) / (high - low) * 255 + 0.5) for v in row] for row in image])


def seen_through(image, response):
    """Image filtered in the frequency domain, by the discrete Fourier transform as its defining sums; response of (fy, fx) in
    half cycles per sample, -1 <= f < 1."""
    height, width = image.shape
    ky, kx = (np.array([k if k < (n + 1) // 2 else k - n for k in range(n)]) for n in (height, width))
    ys, xs = np.arange(height), np.arange(width)
    forward_y, forward_x = np.exp(-2j * pi * np.outer(ky, ys) / height), np.exp(-2j * pi * np.outer(xs, kx) / width)
    spectrum = forward_y @ image @ forward_x
    for i, j in np.ndindex(spectrum.shape):
        spectrum[i, j] *= response(2 * ky[i] / height, 2 * kx[j] / width)
    return (forward_y.conj().T @ spectrum @ forward_x.conj().T).real / image.size


def qcb(fused, infrared, visible):
    height, width = fused.shape

    def response(fy, fx):
        r = sqrt((fy * height / 30) ** 2 + (fx * width / 30) ** 2)
        return exp(-((r / 15.3870) ** 2)) - 0.7622 * exp(-((r / 1.3456) ** 2))

    kernels = []
    for sigma in (2, 4):
        kernels.append(
            np.array([[exp(-(x * x + y * y) / (2 * sigma**2)) / (2 * pi * sigma**2) for x in range(-15, 16)] for y in range(-15, 16)])
        )
    masked = []
    for image in (fused, infrared, visible):
        big = padded(seen_through(stretched(image), response), "constant", 15)
        result = np.zeros(image.shape)
        for y, x in np.ndindex(image.shape):
            narrow, wide = ((kernel * big[y : y + 31, x : x + 31]).sum() for kernel in kernels)
            contrast = abs(narrow / wide - 1) if wide else 0.0
            result[y, x] = contrast**3 / (contrast**2 + 0.0001)
        masked.append(result)
    total = 0.0
    for f, a, b in zip(*(m.ravel() for m in masked), strict=True):
        kept_a, kept_b = (min(s, f) / max(s, f) if max(s, f) > 0 else 1.0 for s in (a, b))
        weight = a * a / (a * a + b * b) if a * a + b * b > 0 else 0.5
        total += weight * kept_a + (1 - weight) * kept_b
    return total / fused.size


def qcv(fused, infrared, visible):
    height, width = fused.shape

    def response(fy, fx):
        r = sqrt((fy * height / 8) ** 2 + (fx * width / 8) ** 2)
        return 2.6 * (0.0192 + 0.144 * r) * exp(-((0.144 * r) ** 1.1))

    f, weighted, total = stretched(fused), 0.0, 0.0
    for source in (stretched(infrared), stretched(visible)):
        right, down = sobel(source, "constant")
        difference = seen_through(source - f, response)
        for top in range(0, height, 16):
            for left in range(0, width, 16):
                block = slice(top, top + 16), slice(left, left + 16)
                saliency = sum(sqrt(r * r + d * d) ** 5 for r, d in zip(right[block].ravel(), down[block].ravel(), strict=True))
                weighted += saliency * sum(v * v for v in difference[block].ravel()) / 256
                total += saliency
    return weighted / total if total else 0.0


def fmi(fused, sources):
    """Feature mutual information of feature images, window by window and cell by cell of the joint distribution."""

    def pair(a, f):
        if (a == f).all():
            return 1.0
        a_flat, f_flat = a.min() == a.max(), f.min() == f.max()
        a = np.ones(9) if a_flat else (a - a.min()) / (a.max() - a.min())
        f = np.ones(9) if f_flat else (f - f.min()) / (f.max() - f.min())
        a, f = a / a.sum(), f / f.sum()
        correlation = 0.0 if a_flat or f_flat else pearson(a, f)
        deviations = [sqrt(max(sum((i + 1) ** 2 * p[i] for i in range(9)) - sum((i + 1) * p[i] for i in range(9)) ** 2, 0)) for p in (a, f)]
        up, across = [sum(a[: i + 1]) for i in range(9)], [sum(f[: i + 1]) for i in range(9)]

        def bound(i, j):
            if i < 0 or j < 0:
                return 0.0
            return min(across[i], up[j]) if correlation >= 0 else max(across[i] + up[j] - 1, 0.0)

        covariance = sum(bound(i, j) - across[i] * up[j] for i in range(9) for j in range(9))
        share = correlation * deviations[0] * deviations[1] / covariance if correlation and deviations[0] and deviations[1] else 0.0
        joint = 0.0
        for i in range(9):
            for j in range(9):
                extreme = bound(i, j) - bound(i - 1, j) - bound(i, j - 1) + bound(i - 1, j - 1)
                p = share * extreme + (1 - share) * f[i] * a[j]
                joint -= p * log2(abs(p)) if p else 0.0
        entropies = entropy_of(a) + entropy_of(f)
        return 2 * (entropies - joint) / entropies if entropies else 0.0

    values = []
    for y in range(fused.shape[0] - 2):
        for x in range(fused.shape[1] - 2):
            windows = [np.asarray(image, float)[y : y + 3, x : x + 3].T.ravel() for image in (fused, *sources)]
            values += [pair(windows[1], windows[0]), pair(windows[2], windows[0])]
    return sum(values) / len(values)


def fmi_pixel(fused, infrared, visible):
    return fmi(fused, (infrared, visible))


SMALL = {"EI": ei, "CE": ce, "SF": sf, "EN": en, "Qabf": qabf, "SCD": scd, "Nabf": nabf, "MI": mi, "SD": sd, "DF": df}
LOOPS = {
    **{**SMALL, "VIFF": viff, "VIF": vif, "AG": ag, "PSNR": psnr, "RMSE": rmse, "SSIM": ssim, "MS-SSIM": ms_ssim, "CC": cc, "NMI": nmi},
    **{"FMI_pixel": fmi_pixel, "Qcb": qcb, "Qcv": qcv, "Qy": qy, "Qncie": qncie},
}
