"""What the report of a published table says beside what every report says, in both languages."""

from __future__ import annotations

from glassnet.report.text import Text

REPRODUCTION_TEXTS = {
    "reproduction_report": Text("A published table, repeated", "已发表结果的复现"),
    "reproduction_verdict": Text(
        "{rows} printed rows: {reproduced} reproduced, {same} of the same behaviour with another value, "
        "{failed} not "
        "reproduced.",
        "报告的 {rows} 行结果：{reproduced} 行复现，{same} 行行为相同但数值不同，{failed} 行未复现。",
    ),
    "printed_in": Text("Printed in: {source}.", "出处：{source}。"),
    "printed_rows": Text("Printed, and ours", "原文与我们的结果"),
    "printed_table": Text("Table: {name}", "表：{name}"),
    "printed_row": Text("row", "行"),
    "quantity": Text("quantity", "量"),
    "printed": Text("printed", "原文"),
    "ours": Text("ours", "我们的"),
    "our_mean": Text("mean of {seeds}", "{seeds}的平均值"),
    "our_best": Text("best seed", "最佳种子"),
    "counts_as_same": Text("counts as the same", "视为相同的范围"),
    "behaviour": Text("training", "训练过程"),
    "printed_about": Text(
        "Bold is ours that the printed figure is compared with: the mean of all seeds, or the best of them "
        "where the "
        "source prints the best of several runs. The best epoch is chosen by the very figure that is printed.",
        "粗体是与原文比较的数值：所有种子的平均值；若原文给出的是多次运行中的最佳值，则取最佳种子。"
        "“最佳轮次”按原文所列的量本身选取。",
    ),
    "best_epoch_of": Text("{measure}, best epoch", "{measure}（最佳轮次）"),
    "learns": Text("learns", "收敛"),
    "oscillates": Text("oscillates", "振荡"),
    "fails": Text("fails", "失败"),
    "reproduced": Text("reproduced", "复现"),
    "same behaviour, other value": Text("same behaviour, other value", "行为相同，数值不同"),
    "not reproduced": Text("not reproduced", "未复现"),
    "because": Text("{row}: {verdict}, because {why}.", "{row}：{verdict}，因为{why}。"),
    "not_reproduced_rows": Text("Not reproduced", "未复现的行"),
    "other_behaviour": Text(
        "ours {ours}, where the printed one {printed}", "我们的训练{ours}，而原文{printed}"
    ),
    "outside": Text(
        "the {quantity} is {ours}, outside {low} to {high}",
        "{quantity}为 {ours}，不在 {low} 至 {high} 之内",
    ),
    "some_figures": Text("only {n} of {of} runs have a {quantity}", "{of} 次运行中只有 {n} 次有{quantity}"),
    "mean_of_fewer": Text("{mean} (of {n})", "{mean}（{n} 个）"),
    "no_figure": Text("no run of ours has a {quantity}", "我们的运行都没有{quantity}"),
    "unanswering": Text(
        "{n} of {of} runs of ours never give one class or more",
        "我们的 {of} 次运行中有 {n} 次从不给出某个或某些类别",
    ),
    "also_health": Text("our runs are sick: {kinds}", "我们的网络有病：{kinds}"),
    "printed_orders": Text("Orders", "次序"),
    "order_holds": Text(
        "{text}: holds for our means ({means}), and for {seeds} of {of} seeds.",
        "{text}：我们的平均值（{means}）符合，{of} 个种子中有 {seeds} 个符合。",
    ),
    "order_fails": Text(
        "{text}: does not hold for our means ({means}); it does for {seeds} of {of} seeds.",
        "{text}：我们的平均值（{means}）不符合，{of} 个种子中有 {seeds} 个符合。",
    ),
    "failed_rows": Text("What our sick runs suffer from, a run of each setting", "有病的运行：每种设置取一次"),
    "open_questions": Text("What it left open", "原文留下的问题"),
    "reproduction_again": Text("To repeat it", "如何重复"),
    "whole_study": Text("All runs, their curves, settings and hashes:", "全部运行及其曲线、设置与哈希值："),
}  # fmt: skip
