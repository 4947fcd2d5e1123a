"""What the report of a study says beside what every report says, in both languages."""

from __future__ import annotations

from glassnet.report.text import Text

STUDY_TEXTS = {
    # the head
    "study_report": Text("Report of a study", "对比实验报告"),
    "best_variant": Text("best variant", "最佳方案"),
    "recommended": Text("recommended", "推荐方案"),
    "over_seeds": Text("mean of {seeds}, {interval}", "{seeds}的平均值，{interval}"),
    "mean_of": Text("mean of {seeds}", "{seeds}的平均值"),
    "runs": Text("runs", "运行"),
    "done_of": Text("{done} of {all}", "{done} / {all}"),
    "lost_runs": Text("{diverged} diverged, {failed} failed", "发散 {diverged} 次，失败 {failed} 次"),
    "all_runs_time": Text("of all runs together", "所有运行合计"),
    "not_opened": Text("not opened", "未启用"),
    "one_seed": Text("1 seed", "1 个随机种子"),
    "n_seeds": Text("{n} seeds", "{n} 个随机种子"),
    "unfinished_study": Text(
        "The study is not at its end: {missing} of {all} runs still missing.",
        "实验尚未完成：{all} 次运行中还缺 {missing} 次。",
    ),
    "no_recommendation": Text(
        "No variant finished with every seed, so none can be recommended.",
        "没有任何方案在所有随机种子下都完成训练，因此无法推荐。",
    ),
    "sick_plan": Text(
        "But note its health: {n} of its {all} runs sick, with {kinds}.",
        "但请注意：它的 {all} 次运行中有 {n} 次有病：{kinds}。",
    ),
    # why a variant is recommended: as `glassnet.study.recommendation` says it
    "quoted": Text("“{name}”", "“{name}”"),
    "list_and": Text("{first} and {last}", "{first}和{last}"),
    "list_more": Text("{n} more", "另外 {n} 个"),
    "highest": Text("highest", "最高"),
    "lowest": Text("lowest", "最低"),
    "mean_figure": Text(
        "{mean} on average over {n} seeds ({confidence} % interval {low} to {high})",
        "{n} 个随机种子的平均值为 {mean}（{confidence} % 置信区间 {low} 至 {high}）",
    ),
    "lead": Text(
        "Of {n} variants, {best} has the {which} {measure}: {figure}.",
        "在 {n} 个方案中，{best}的{measure}{which}：{figure}。",
    ),
    "lead_only": Text(
        "{best} is the only variant that finished with every seed: its {measure} is {figure}.",
        "{best}是唯一在所有随机种子下都完成训练的方案，其{measure}：{figure}。",
    ),
    "standing_alone": Text("There is nothing to compare it with.", "没有可与之比较的方案。"),
    "standing_one_seed": Text(
        "The next, {second}, is {margin} behind; with one seed nobody can tell whether that is more than chance.",
        "其次是{second}，相差 {margin}；只有一个随机种子，无法判断这一差距是否只是偶然。",
    ),
    "standing_ties": Text(
        "{ties} cannot be told from it with these seeds.", "就这些随机种子而言，{ties}与它无法区分。"
    ),
    "standing_two": Text(
        "That is more than chance explains: the next, {second}, is {margin} behind (p = {p}).",
        "这超出了偶然所能解释的范围：其次是{second}，相差 {margin}（p = {p}）。",
    ),
    "standing_all": Text(
        "All others are worse by more than chance explains: the next, {second}, is {margin} behind (p = {p}, "
        "corrected for all comparisons).",
        "其他方案都更差，且超出了偶然所能解释的范围：其次是{second}，相差 {margin}（p = {p}，已对所有比较作校正"
        "）。",
    ),
    "choice_close": Text(
        "{best} is recommended: none of those close to it is clearly cheaper.",
        "推荐{best}：与它接近的方案中没有一个明显更省。",
    ),
    "choice_clear": Text(
        "{best} is recommended: they are all behind by more than one standard error.",
        "推荐{best}：它们都落后一个标准误以上。",
    ),
    "choice_seconds": Text(
        "{variant} is recommended: it is {gap} behind, within one standard error, and takes {ours} s of training "
        "instead of {best} s.",
        "推荐{variant}：它落后 {gap}，在一个标准误之内，而训练只需 {ours} 秒，而不是 {best} 秒。",
    ),
    "choice_parameters": Text(
        "{variant} is recommended: it is {gap} behind, within one standard error, and has {ours} parameters "
        "instead of {best}.",
        "推荐{variant}：它落后 {gap}，在一个标准误之内，而参数只有 {ours} 个，而不是 {best} 个。",
    ),
    "left_out": Text("Left out: {list}.", "未参与比较：{list}。"),
    "left_out_one": Text("{variant} ({why})", "{variant}（{why}）"),
    "left_out_why": Text("{kind} with {n} of {seeds}", "{seeds}中有 {n} 个{kind}"),
    "finished": Text("finished", "完成"),
    "diverged": Text("diverged", "发散"),
    "failed": Text("failed", "失败"),
    "not_run": Text("not run", "未运行"),
    "without_measure": Text("without a finite {measure}", "没有有限的{measure}"),
    # what to try next, likewise
    "next": Text("What to try next", "下一步可以尝试"),
    "next_mend": Text(
        "{variant} has a better mean, {mean}, in those of its runs that finished: see what is wrong with the "
        "others, and run them again.",
        "{variant}在已完成的运行中平均值更好（{mean}）：请查明其余运行的问题，然后重新运行。",
    ),
    "next_combine": Text(
        "The best levels of the factors were never tried together: run {levels}. A full factorial of these "
        "factors also shows whether they act independently.",
        "各因素的最佳水平从未一起尝试过：请运行 {levels}。对这些因素做全因子设计，还能看出它们是否独立起作用。",
    ),
    "next_interaction": Text(
        "{factors} interact (p = {p}): what is best of one depends on the other. Choose them together, by a full "
        "factorial of them with more levels.",
        "{factors}之间有交互作用（p = {p}）：一个因素的最佳水平取决于另一个。请用水平更多的全因子设计一起选择。",
    ),
    "next_first_seeds": Text(
        "Run {n} seeds: with one, nothing can be judged.", "请运行 {n} 个随机种子：只有一个时什么也无法判断。"
    ),
    "next_seeds": Text(
        "Run {n} seeds in all to tell {best} from {others}: at least so many, as the best of several looks better "
        "than it is.",
        "要区分{best}与{others}，共需运行 {n} 个随机种子：这是下限，因为多个方案中的最佳者看起来总比实际更好。",
    ),
    "next_hopeless": Text(
        "To tell {best} from {others} would take more than {most} seeds: take the cheaper.",
        "要区分{best}与{others}，需要 {most} 个以上的随机种子：选用更省的即可。",
    ),
    "next_beyond": Text(
        "{factor}={level} lies at the end of its range: try beyond it, {value} for example.",
        "{factor}={level} 位于其取值范围的一端：请尝试范围之外的值，例如 {value}。",
    ),
    # what was compared
    "compared": Text("What was compared", "比较了什么"),
    "design": Text("design", "设计"),
    "one_at_a_time": Text("one factor at a time", "每次只改变一个因素"),
    "factorial": Text("full factorial: all combinations", "全因子设计：所有组合"),
    "listed": Text("a list of variants", "方案列表"),
    "variants": Text("variants", "方案"),
    "variant": Text("variant", "方案"),
    "variant_list": Text("The variants", "各方案"),
    "seeds": Text("seeds", "随机种子"),
    "seed": Text("seed", "随机种子"),
    "budget": Text("budget of a run", "每次运行的预算"),
    "budget_seconds": Text("{seconds} of training, up to the end of the epoch", "训练 {seconds}，直至该轮结束"),
    "decides": Text("what decides", "判断依据"),
    "higher_better": Text("{measure}, the higher the better", "{measure}，越高越好"),
    "lower_better": Text("{measure}, the lower the better", "{measure}，越低越好"),
    "factors": Text("Factors", "因素"),
    "factor": Text("factor", "因素"),
    "level": Text("level", "水平"),
    "levels": Text("levels", "水平"),
    "sets": Text("what it sets", "所设的选项"),
    "changes_start": Text("other start", "起点不同"),
    "yes": Text("yes", "是"),
    "no": Text("no", "否"),
    "factors_note": Text(
        "Bold is the base. Other start: its levels begin with other parameters at the same seed, so that what is "
        "compared is not the factor alone.",
        "粗体为基准方案。起点不同：在同一随机种子下，各水平的初始参数不同，因此比较的不只是该因素本身。",
    ),
    "fixed": Text("What was held fixed", "保持不变的设置"),
    "fixed_about": Text(
        "Within a seed all variants have the same initial parameters, the same batches and the same dropout "
        "masks, wherever their shapes allow; the hashes below show it. The settings that no variant changes "
        "are those of the base:",
        "同一随机种子下，只要形状允许，所有方案的初始参数、批次和随机失活掩码都相同，见下文的哈希。"
        "所有方案都不改变的设置与基准方案相同：",
    ),
    # the curves
    "band_about": Text(
        "A line is the mean over the seeds, its band goes from the lowest to the highest, over the epochs that "
        "all of its runs have. Training figures are taken while the network changes, validation figures after "
        "the epoch.",
        "曲线为各随机种子的平均值，阴影从最低到最高，只包括其所有运行都有的轮次。"
        "训练指标在网络变化过程中测得，验证指标在每轮结束后测得。",
    ),
    "no_curves_of": Text(
        "No run finished of {variants}, so there are no curves of it.",
        "以下方案没有曲线，因为没有一次运行完成：{variants}。",
    ),
    "all_variants": Text("All variants", "所有方案"),
    "base_and_best": Text("The base and the best", "基准与最佳"),
    "by_factor": Text("By factor: {factor}", "按因素：{factor}"),
    "by_factor_rest": Text("By factor: {factor}, the others as in the base", "按因素：{factor}，其余与基准相同"),
    "part_of": Text("{title} ({n} / {all})", "{title}（{n} / {all}）"),
    # the results
    "results": Text("Results", "结果"),
    "results_table": Text("Every variant over its seeds", "各方案在所有随机种子上的结果"),
    "differences": Text("Differences to the base, paired by seed", "与基准之差，按随机种子配对"),
    "difference": Text("difference", "差值"),
    "deviation": Text("deviation", "标准差"),
    "interval_of_mean": Text("{confidence} % of the mean", "平均值的 {confidence} % 区间"),
    "interval_of_difference": Text("{confidence} % of it", "差的 {confidence} % 区间"),
    "corrected_p": Text("corrected p", "校正后的 p"),
    "verdict": Text("verdict", "结论"),
    "flops": Text("FLOPs", "浮点运算"),
    "low_to_high": Text("{low} to {high}", "{low} 至 {high}"),
    "better": Text("better", "更好"),
    "worse": Text("worse", "更差"),
    "not_distinguishable": Text("not distinguishable", "无法区分"),
    "judged_by_one_seed": Text("one seed only: cannot be judged", "只有一个随机种子：无法判断"),
    "judged_by_no_seed": Text("no seed in common: cannot be judged", "没有共同的随机种子：无法判断"),
    "results_about": Text(
        "Bold is recommended. Differences are paired by seed and tested by Student's t; p is corrected for all "
        "comparisons with the base by Holm's method, and the verdict goes by it. The interval of a difference "
        "is of that comparison by itself: it may leave out 0 where the verdict is “not distinguishable”. "
        "Seconds, parameters and FLOPs (of the matrix products) are medians over the runs.",
        "粗体为推荐方案。差值按随机种子配对，用学生 t 检验；p 按 Holm 方法对与基准的所有比较作校正，结论以此为准。"
        "差值的区间只针对该次比较本身：即使结论是“无法区分”，区间也可能不包含 0。"
        "秒数、参数个数与浮点运算次数（矩阵乘法）为各次运行的中位数。",
    ),
    "none_told_apart": Text(
        "No variant can be told from the base with these seeds.",
        "就这些随机种子而言，没有任何方案能与基准区分开。",
    ),
    "some_not_told_apart": Text("Not distinguishable from the base: {variants}.", "与基准无法区分：{variants}。"),
    # independence
    "independence": Text("Do the factors act independently?", "各因素是否独立起作用？"),
    "they_interact": Text("The factors interact", "各因素之间有交互作用"),
    "none_found": Text("No interaction found", "未发现交互作用"),
    "cannot_be_told": Text("Cannot be told", "无法判断"),
    "verdict_why": Text("{verdict}: {why}", "{verdict}：{why}"),
    "interact_figures": Text("p = {p}; {share} of the variance", "p = {p}；占方差的 {share}"),
    "interact_corrected": Text(
        "p = {p}, corrected for {n} interactions; {share} of the variance",
        "p = {p}，已对 {n} 个交互作用作校正；占方差的 {share}",
    ),
    "interact_why": Text(
        "What one factor does depends on another: {which}. Choose their levels together.",
        "一个因素的作用取决于另一个：{which}。请一起选择它们的水平。",
    ),
    "interact_one": Text("{name} ({figures})", "{name}（{figures}）"),
    "interact_strongest": Text(
        "{names} (the strongest, {name}: {figures})", "{names}（最强的是 {name}：{figures}）"
    ),
    "within_chance": Text(
        "The strongest, {name}, is within chance ({figures}).", "最强的 {name} 仍在偶然范围之内（{figures}）。"
    ),
    "one_factor": Text(
        "There is one factor only: an interaction needs two.", "只有一个因素：交互作用至少需要两个。"
    ),
    "one_seed_only": Text(
        "There is one seed only: chance and interaction look alike. Run every variant with two seeds or more.",
        "只有一个随机种子：偶然与交互作用无法区分。请用两个以上的随机种子运行每个方案。",
    ),
    "no_chance": Text(
        "The seeds shift all cells by the same amount: there is no chance variation to hold effects against.",
        "各随机种子使所有组合移动的幅度相同：没有偶然变动可供对照。",
    ),
    "runs_missing": Text(
        "{n} of the {all} runs of the full factorial are missing: {some}. Run them, or leave out their seeds or "
        "levels.",
        "全因子设计的 {all} 次运行中缺少 {n} 次：{some}。请补上这些运行，或去掉相应的随机种子或水平。",
    ),
    "missing_one": Text("{levels}, seed {seed} ({why})", "{levels}，随机种子 {seed}（{why}）"),
    "missing_more": Text("and {n} more", "另有 {n} 次"),
    "no_run": Text("no run", "没有运行"),
    "anova": Text("Analysis of variance", "方差分析"),
    "anova_about": Text(
        "What the spread of all runs comes from. F is held against the residual, what neither seed nor "
        "combination explains; p is corrected by Holm's method among the main effects and among the "
        "interactions; the share is the part of the total sum of squares. “No interaction found” is no proof "
        "that there is none: few seeds find large ones only.",
        "所有运行的差异来自何处。F 以残差（随机种子和水平组合都解释不了的部分）为对照；"
        "p 分别在主效应和交互作用之内按 Holm 方法校正；占比为其在总平方和中的比例。"
        "“未发现交互作用”并不证明没有：随机种子很少时只能发现很大的交互作用。",
    ),
    "source": Text("source", "来源"),
    "sum_of_squares": Text("sum of squares", "平方和"),
    "degrees": Text("degrees of freedom", "自由度"),
    "F": Text("F", "F"),
    "p": Text("p", "p"),
    "share_of": Text("share", "占比"),
    "residual": Text("residual", "残差"),
    "alone": Text(
        "Chosen one by one, the best levels are {levels}. If the factors were independent, these would reach "
        "{predicted}; they reach {found}.",
        "逐个选择时，最佳水平为 {levels}。若各因素独立，预计达到 {predicted}；实际达到 {found}。",
    ),
    "alone_best": Text(
        "That is the best combination, so nothing is lost by choosing them one by one.",
        "这正是最佳组合，因此逐个选择没有任何损失。",
    ),
    "alone_better": Text(
        "{levels} reaches {best}, which is {lost} better and more than chance explains (p = {p}): chosen one "
        "by one, the best is missed.",
        "{levels} 达到 {best}，好 {lost}，超出了偶然所能解释的范围（p = {p}）：逐个选择会错过最佳组合。",
    ),
    "alone_even": Text(
        "{levels} reaches {best}, {lost} better, but is not distinguishable with these seeds (p = {p}).",
        "{levels} 达到 {best}，好 {lost}，但就这些随机种子而言无法区分（p = {p}）。",
    ),
    "alone_one_seed": Text(
        "{levels} reaches {best}, {lost} better; with one seed nobody can tell whether that is more than chance.",
        "{levels} 达到 {best}，好 {lost}；只有一个随机种子，无法判断是否只是偶然。",
    ),
    # the recommendation
    "recommendation": Text("Recommendation", "推荐"),
    "recommendation_about": Text(
        "Ties are the variants that cannot be told from the best. Close to it are the ties within one standard "
        "error; of the best and those, the cheapest is recommended: the least time, where times within a tenth "
        "count as equal, then the fewest parameters.",
        "并列方案是指与最佳方案无法区分的方案；其中与最佳相差不超过一个标准误的为接近方案。"
        "在最佳方案与接近方案中推荐最省的：先比用时（相差一成以内视为相同），再比参数个数。",
    ),
    "ties": Text("ties", "并列方案"),
    "close": Text("close to the best", "接近最佳的方案"),
    "none": Text("none", "无"),
    "margin": Text("lead of the best over the second", "最佳领先第二名"),
    "given_up": Text("given up by the recommended", "推荐方案放弃了"),
    "excluded": Text("left out", "未参与比较"),
    # health
    "study_fine": Text(
        "Every run came to its end, and no network was sick.", "所有运行都正常结束，没有网络有病。"
    ),
    "some_sick": Text(
        "Runs that diverged, failed, or left a sick network: {n} of {all}.",
        "{all} 次运行中有 {n} 次发散、失败或网络有病。",
    ),
    "sick_runs": Text("Runs with something wrong", "有问题的运行"),
    "ended": Text("how it ended", "结束方式"),
    "diagnosis": Text("diagnosis", "诊断"),
    "no_diagnosis": Text("none", "无"),
    "remarks": Text("Remarks", "备注"),
    "which_runs": Text("runs", "相关运行"),
    "with_seed": Text("{variant} (seed {seeds})", "{variant}（随机种子 {seeds}）"),
    "with_seeds": Text("{variant} (seeds {seeds})", "{variant}（随机种子 {seeds}）"),
    # the recommended plan
    "plan": Text("The recommended plan on the test rows", "推荐方案在测试样本上的表现"),
    "plan_about": Text(
        "The test rows decided nothing above. They were opened for {variant}: of its {runs}, the one with the "
        "median {measure}, {value}, was judged: seed {seed}.",
        "以上结果与测试样本无关。测试样本为{variant}启用：在它的 {runs}中，评估了{measure}居中的一次（{value}），"
        "其随机种子为 {seed}。",
    ),
    "plan_once": Text(
        "No other network of this study was judged on them.", "本实验中没有其他网络在测试样本上评估过。"
    ),
    "one_run": Text("1 run", "1 次运行"),
    "n_runs": Text("{n} runs", "{n} 次运行"),
    "plan_even": Text("Of the two in the middle it is the worse.", "居中的有两次，取其中较差的一次。"),
    "plan_earlier": Text(
        "These rows had been opened before, for {looks}: they are no longer rows that nobody has seen.",
        "这些测试样本此前已为 {looks} 启用过：它们不再是没有人看过的样本。",
    ),
    "plan_not_finite": Text(
        "Its outputs on the test rows are not finite, so it could not be judged.",
        "它在测试样本上的输出不是有限数，无法评估。",
    ),
    "open_for_all": Text(
        "The test rows were opened for every run of this study, so they cannot tell how good the recommended "
        "plan is.",
        "本实验的每次运行都已在测试样本上评估过，因此测试样本不能说明推荐方案有多好。",
    ),
    "closed_unfinished": Text(
        "The test rows stay closed until all runs are done.", "在所有运行完成之前，不启用测试样本。"
    ),
    "closed_nothing": Text(
        "The test rows stay closed, as there is nothing to judge on them.",
        "没有可评估的方案，因此不启用测试样本。",
    ),
    "closed_unasked": Text("The test rows have not been opened for {variant}.", "尚未为{variant}启用测试样本。"),
    "retrain": Text("To train by the recommended plan again:", "按推荐方案重新训练："),
    # fairness
    "fairness": Text("Is the comparison fair?", "比较是否公平？"),
    "same_start": Text(
        "Within each seed, all variants begin with the same parameters.",
        "同一随机种子下，所有方案的初始参数都相同。",
    ),
    "other_start": Text(
        "With other initial parameters than the base, at the same seed: {variants}.",
        "同一随机种子下初始参数与基准不同的方案：{variants}。",
    ),
    "same_start_but": Text(
        "Within each seed, all variants begin with the same parameters, but for the factors that change them: "
        "{factors}.",
        "同一随机种子下，所有方案的初始参数都相同，只有会改变初始参数的因素除外：{factors}。",
    ),
    "same_order": Text(
        "Within each seed, all variants see the same rows in the same order.",
        "同一随机种子下，所有方案看到的样本及其顺序都相同。",
    ),
    "other_order": Text(
        "With another order of the rows than the base, at the same seed: {variants}.",
        "同一随机种子下样本顺序与基准不同的方案：{variants}。",
    ),
    "starts": Text("Initial parameters, SHA-256", "初始参数的 SHA-256"),
    "orders": Text("Order of the rows, SHA-256", "样本顺序的 SHA-256"),
    "hashes_about": Text(
        "Equal hashes in a column mean an equal start. Orange is other than the base; point at a hash for all "
        "of it.",
        "同一列中哈希相同即起点相同。橙色表示与基准不同；将指针移到哈希上可查看全部。",
    ),
    "of_seed": Text("seed {seed}", "随机种子 {seed}"),
    # the same again
    "study_again": Text("The same study again", "重现这个实验"),
    "study_command_about": Text(
        "Into a new folder; with the folder of this study instead, it goes on with what is not done yet.",
        "在新文件夹中重做；若改为本实验的文件夹，则继续尚未完成的运行。",
    ),
    "study_bits": Text(
        "On the same machine and versions, with {threads} a run, the rows are the same, bit for bit, but for "
        "their seconds.",
        "在相同的机器和版本上，每次运行使用 {threads}，除用时外，结果逐位相同。",
    ),
    "study_bits_seconds": Text(
        "The budget is in seconds, so how many epochs fit into it depends on the machine.",
        "预算以秒计，因此能完成多少轮取决于机器。",
    ),
    "one_thread": Text("1 thread", "1 个线程"),
    "n_threads": Text("{n} threads", "{n} 个线程"),
    "study_facts": Text("Checksums, versions, machine", "校验和、版本与机器"),
    "study_checksum": Text("{data}: {file}, MD5", "{data}：{file} 的 MD5"),
    "study_hash": Text("what is compared, SHA-256", "实验内容的 SHA-256"),
    "all_runs": Text("All runs", "所有运行"),
    "run_folder": Text("run folder", "运行文件夹"),
}
