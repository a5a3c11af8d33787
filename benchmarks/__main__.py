"""`python -m benchmarks [NAME ...]`: measure, and print figures."""

import argparse
from functools import partial

from benchmarks import assets, daemon, imports, instance, pipeline, saturation
from syncengine.cli.screen import Screen


def main() -> None:
    """Run the benchmarks that are named, or all of them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help="saturation, pipeline, imports, assets, daemon or instance; default: all",
    )
    parser.add_argument(
        "--speed",
        type=float,
        default=saturation.SPEED,
        help="how fast the sandbox's clock runs under saturation; 1 is Marketo's own pace (default: %(default)g)",
    )
    parser.add_argument(
        "--rows", type=int, default=imports.ROWS, help="how many people are imported (default: %(default)s)"
    )
    asked = parser.parse_args()
    screen = Screen()
    benchmarks = {
        "saturation": partial(saturation.run, screen, speed=asked.speed),
        "pipeline": partial(pipeline.run, screen),
        "imports": partial(imports.run, screen, rows=asked.rows),
        "assets": partial(assets.run, screen),
        "daemon": partial(daemon.run, screen),
        "instance": partial(instance.run, screen),
    }
    if unknown := sorted(set(asked.names) - set(benchmarks)):
        parser.error(f"there is no benchmark {unknown[0]!r}: choose from {', '.join(benchmarks)}")
    for name in asked.names or benchmarks:
        benchmarks[name]()
        screen.say()


if __name__ == "__main__":
    main()
