"""A validation as text for a terminal."""

from __future__ import annotations

from gdq_core.bit_widths import name_of_route, name_of_width
from gdq_validate.agreement import Agreement
from gdq_validate.chance.report import AgainstChance, FixedRoute, RoutedPoint
from gdq_validate.report import ValidationReport


def render_text(report: ValidationReport) -> str:
    """Render a line for each picture, their mean, and what was published on the set."""
    lines = [
        f"{report.bundle} on {report.data}: {report.network} x{report.scale}, "
        f"{len(report.images)} pictures, policy {report.policy}, {report.engine}",
        "",
        "picture               PSNR    SSIM   FAB   all 8   bicubic   float",
    ]
    for row in (*report.images, report):
        in_float = "" if row.float_network is None else f"{row.float_network.psnr_y:8.2f}"
        name = getattr(row, "name", "mean")
        lines.append(
            f"{name[:20]:20}  {row.psnr_y:5.2f}  {row.ssim_y:.4f}  {row.fab:4.2f}  "
            f"{row.all_8_bit.psnr_y:6.2f}  {row.bicubic.psnr_y:8.2f}{in_float}"
        )
    widths = ", ".join(
        f"{count} x {name_of_route(route)}" for route, count in report.bit_widths.items()
    )
    seams = "no borders" if report.seam_ratio is None else f"{report.seam_ratio:.3f}"
    lines += [
        "",
        f"tiles x bits: {widths}; FAB without interpolated tiles {report.network_fab:.2f}",
        f"BitOPs {report.bitops / 1e12:.3f} T per picture; seam ratio {seams}; "
        f"{report.loss_db:.3f} dB below all-8-bit",
    ]
    if report.milliseconds_per_tile is not None and report.speed is not None:
        lines.append(
            f"{report.milliseconds_per_tile:.1f} ms a tile here, {report.speed:.2f} times as fast "
            "as all tiles at 8 bits"
        )
    if report.torch is not None and report.same_decisions is not None:
        lines.append(
            f"torch, quantized: {report.torch.psnr_y:.2f} dB, the same bit-width on "
            f"{100 * report.same_decisions:.1f} % of the tiles"
        )
    if report.against_chance is not None:
        lines += ["", *_describe_contest(report.against_chance)]
    if report.published:
        lines += ["", "published                       PSNR    SSIM   FAB"]
        for known in report.published:
            bits = "" if known.fab is None else f"{known.fab:5.2f}"
            figures = f"{known.psnr_y:6.2f}  {known.ssim_y:.4f}  {bits:5}"
            lines.append(f"{known.method:28}  {figures}  {known.source}")
    return "\n".join(lines)


def _describe_contest(contest: AgainstChance) -> list[str]:
    lines = [
        "dB below all 8 bit        FAB   ms a tile  routed  chance  oracle  of chance (95 %)",
        *(
            f"all at {name_of_width(one.route):17}{one.fab:5.2f}  {_time(one)}  {one.loss_db:6.3f}"
            for one in contest.fixed
        ),
    ]
    for point in (*contest.by_bits, *contest.by_time):
        share = ""
        if point.of_chance is not None and point.interval is not None:
            low, high = point.interval
            share = f"  {point.of_chance:.2f} ({low:.2f} to {high:.2f})"
        lines.append(
            f"{point.dial:24}{point.fab:5.2f}  {_time(point)}  {point.loss_db:6.3f}  "
            f"{point.chance_db:6.3f}  {point.oracle_db:6.3f}{share}"
        )
    return lines


def _time(spent: FixedRoute | RoutedPoint) -> str:
    time = spent.milliseconds_per_tile
    return f"{'' if time is None else format(time, '.2f'):>10}"


def render_agreements(agreements: list[Agreement]) -> str:
    """Render how far engines are from what they were compared with, one line each."""
    lines = ["engine       against                    equal    by 1  by more  largest  same bits"]
    for one in agreements:
        by_one = one.differences.get(1, 0) / one.samples
        shares = f"{one.equal:8.3%} {by_one:7.3%} {one.beyond_one:8.4%}"
        bits = f"{one.same_bit_width} of {one.tiles}"
        lines.append(
            f"{one.engine:12} {one.reference:24} {shares} {one.largest:8d}  {bits}"
            f"{'' if one.holds else '  BROKEN'}"
        )
    return "\n".join([*lines, ""])


def describe_failure(agreement: Agreement) -> str:
    """Say by what an engine breaks the contract: the bound it exceeds, or its bit-widths."""
    reasons = []
    if (bound := agreement.broken_bound) is not None:
        reasons.append(
            f"{agreement.share_beyond(bound.levels):.3%} of the samples differ by more than "
            f"{bound.levels} ({bound.share:.3%} are allowed)"
        )
    if agreement.same_bit_width != agreement.tiles:
        reasons.append(f"only {agreement.same_bit_width} of {agreement.tiles} bit-widths are equal")
    return f"missed: {agreement.engine} against {agreement.reference}: {'; '.join(reasons)}"
