"""What reports say, in English and in Chinese: every sentence once, both languages beside each other."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, get_args

from glassnet.errors import unknown_name
from glassnet.report.question_words import QUESTION_TEXTS
from glassnet.report.reproduction_words import REPRODUCTION_TEXTS
from glassnet.report.study_words import STUDY_TEXTS
from glassnet.report.text import Text

Language = Literal["en", "zh"]

#: The languages of a report.
LANGUAGES: tuple[Language, ...] = get_args(Language)


TEXTS = {
    # the head
    "report": Text("Report of a run", "训练报告"),
    "theme": Text("light or dark", "浅色或深色"),
    "sentence": Text("{result}, after {trained}; {health}.", "{result}，{trained}；{health}。"),
    "result_classes": Text(
        "{share} of {rows} test rows are classified correctly{within}",
        "{rows} 个测试样本中有 {share} 分类正确{within}",
    ),
    "result_labels": Text(
        "{share} of the labels of {rows} test rows are predicted correctly{within}",
        "{rows} 个测试样本的标签中有 {share} 预测正确{within}",
    ),
    "result_numbers": Text(
        "The network explains the numbers of {rows} test rows with R² = {share}{within}",
        "网络对 {rows} 个测试样本数值的决定系数为 R² = {share}{within}",
    ),
    "result_none": Text(
        "The network could not be judged on the test rows, its outputs are not finite",
        "网络在测试样本上的输出不是有限数，无法评估",
    ),
    "within": Text(" (95 % interval {low} to {high})", "（95 % 置信区间 {low} 至 {high}）"),
    "trained": Text("{epochs} in {time}", "训练 {epochs}，用时 {time}"),
    "trained_short": Text(
        "{epochs} of {planned} planned in {time}", "训练 {epochs}（计划 {planned} 轮），用时 {time}"
    ),
    "one_epoch": Text("1 epoch", "1 轮"),
    "epochs": Text("{n} epochs", "{n} 轮"),
    "seconds": Text("{seconds} s", "{seconds} 秒"),
    "minutes": Text("{minutes} min {seconds} s", "{minutes} 分 {seconds} 秒"),
    "hours": Text("{hours} h {minutes} min", "{hours} 小时 {minutes} 分"),
    "is_healthy": Text("it is healthy", "网络健康"),
    "is_remarked": Text("it is not sick, but note: {kinds}", "网络没有病，但请注意：{kinds}"),
    "is_sick": Text("it is sick: {kinds}", "网络有病：{kinds}"),
    "is_unwatched": Text("its health was not watched", "未监测其健康状况"),
    "and": Text(", ", "、"),
    # the measures
    "accuracy": Text("accuracy", "准确率"),
    "auc": Text("AUC", "AUC"),
    "sensitivity": Text("sensitivity", "灵敏度"),
    "specificity": Text("specificity", "特异度"),
    "r2": Text("R²", "R²"),
    "mae": Text("mean absolute error", "平均绝对误差"),
    "loss": Text("loss", "损失"),
    "balanced_accuracy": Text("balanced accuracy", "平衡准确率"),
    "log_loss": Text("log loss", "对数损失"),
    "validation_auc": Text("validation AUC", "验证 AUC"),
    "validation_r2": Text("validation R²", "验证 R²"),
    "validation_mae": Text("validation mean absolute error", "验证平均绝对误差"),
    "validation_balanced_accuracy": Text("validation balanced accuracy", "验证平衡准确率"),
    "validation_f1": Text("validation F1", "验证 F1"),
    "validation_log_loss": Text("validation log loss", "验证对数损失"),
    "test_of": Text("test {measure}", "测试{measure}"),
    "interval": Text("95 %: {low} to {high}", "95 %：{low} 至 {high}"),
    "parameters": Text("parameters", "参数个数"),
    "training_time": Text("training time", "训练用时"),
    "network": Text("network", "网络"),
    # the curves
    "curves": Text("Learning curves", "学习曲线"),
    "loss_title": Text("Loss", "损失"),
    "accuracy_title": Text("Accuracy", "准确率"),
    "rate_title": Text("Learning rate", "学习率"),
    "measure_title": Text("{measure} on the validation rows", "验证样本上的 {measure}"),
    "training": Text("training", "训练"),
    "validation": Text("validation", "验证"),
    "epoch": Text("epoch", "轮次"),
    "learning_rate": Text("learning rate", "学习率"),
    "logarithmic": Text("log scale", "对数刻度"),
    "constant_rate": Text("The learning rate was {rate} throughout.", "学习率始终为 {rate}。"),
    "running": Text(
        "Training figures are taken while the network changes, each batch before its own step; "
        "validation figures after the epoch.",
        "训练曲线在网络变化过程中测得（每个批次在自身更新之前），验证曲线在每轮结束后测得。",
    ),
    "no_validation": Text(
        "No rows were set aside for validation, so there is no validation curve.",
        "没有留出验证样本，因此没有验证曲线。",
    ),
    "no_epoch": Text(
        "No epoch was finished, so there is nothing to draw.", "没有完成任何一轮训练，因此没有曲线。"
    ),
    "chart_about": Text("{title} over {x}: {curves}", "{title}随{x}变化：{curves}"),
    "curve_about": Text("{label} from {first} to {last}", "{label}从 {first} 到 {last}"),
    "chart_hint": Text(
        "Point at a chart, or choose it and press the arrow keys, for the numbers; a name below it "
        "hides its curve.",
        "将指针移到图上，或选中图后按方向键，可查看数值；点击图下的名称可隐藏该曲线。",
    ),
    "all_numbers": Text("All numbers", "全部数值"),
    "every_epoch": Text("Every {n}th epoch and the last one.", "每 {n} 轮一行，并含最后一轮。"),
    "epoch_seconds": Text("seconds", "秒"),
    "train_loss": Text("training loss", "训练损失"),
    "train_accuracy": Text("training accuracy", "训练准确率"),
    "validation_loss": Text("validation loss", "验证损失"),
    "validation_accuracy": Text("validation accuracy", "验证准确率"),
    "dead_units": Text("dead units", "死亡单元"),
    "saturated_units": Text("saturated units", "饱和单元"),
    "gradient_norm": Text("gradient norm", "梯度范数"),
    "update_ratio": Text("update ratio", "更新比"),
    # the settings
    "settings": Text("Settings", "设置"),
    "settings_about": Text("Bold is what differs from the default.", "粗体为与默认值不同的设置。"),
    "option": Text("option", "选项"),
    "value": Text("value", "值"),
    "section_run": Text("Run", "运行"),
    "section_data": Text("Data", "数据"),
    "section_network": Text("Network", "网络"),
    "section_training": Text("Training", "训练"),
    # health
    "health": Text("Health", "健康状况"),
    "health_unwatched": Text(
        "The folder of this run holds no record of its health.", "该运行的文件夹中没有健康记录。"
    ),
    "health_unreadable": Text("The record of this run's health cannot be read.", "该运行的健康记录无法读取。"),
    "health_fine": Text(
        "Nothing was found: no layer is half dead or saturated, no units are duplicated, no signal explodes, no "
        "gradient vanishes, and the loss is not stuck, oscillating or diverging.",
        "未发现异常：没有任何一层有半数以上的单元死亡或饱和，没有重复的单元，信号没有爆炸，梯度没有消失，"
        "损失没有停滞、振荡或发散。",
    ),
    "sick": Text("sick", "有病"),
    "remark": Text("note", "注意"),
    "layer": Text("layer", "层"),
    "units": Text("units", "单元"),
    "since": Text("since step", "始于第几步"),
    "cause": Text("cause", "原因"),
    "evidence": Text("evidence", "证据"),
    "remedy": Text("try first", "首先尝试"),
    "whole_network": Text("the whole network", "整个网络"),
    "n_units": Text("{n}", "{n} 个"),
    "unit_list": Text("{n}: {list}", "{n} 个：{list}"),
    "change_to": Text("{name} = {value}", "{name} = {value}"),
    # what was measured of it
    "vitals": Text("What was measured", "测量结果"),
    "vitals_about": Text(
        "A probe of training rows goes through a copy of the network before training, after early steps and at "
        "ends of epochs. Examinations of this run: {n}.",
        "在训练之前、最初的若干步之后以及各轮结束时，让一批训练样本（探测样本）通过网络的副本。"
        "本次运行共测量 {n} 次。",
    ),
    "all_alive": Text(
        "At no time was a unit dead (output and slope 0 on every row) or saturated (the slope flat on nine "
        "rows of ten).",
        "任何时候都没有单元死亡（对每个样本的输出和斜率都为零）或饱和（对九成以上的样本斜率几乎为零）。",
    ),
    "none_dead": Text(
        "At no time was a unit dead (output and slope 0 on every row).",
        "任何时候都没有单元死亡（对每个样本的输出和斜率都为零）。",
    ),
    "none_saturated": Text(
        "At no time was a unit saturated (the slope flat on nine rows of ten).",
        "任何时候都没有单元饱和（对九成以上的样本斜率几乎为零）。",
    ),
    "some_layers": Text("Of {n} layers {shown} are drawn.", "共 {n} 层，图中画出 {shown} 层。"),
    "some_examinations": Text("{shown} of {n} examinations.", "{n} 次测量中的 {shown} 次。"),
    "vitals_table": Text("The numbers, layer by layer", "各层数值"),
    "step": Text("step", "步"),
    "layer_n": Text("layer {n}", "第 {n} 层"),
    "layer_out": Text("output ({n})", "输出层（{n}）"),
    "dead_title": Text("Dead units", "死亡单元的比例"),
    "saturated_title": Text("Saturated units", "饱和单元的比例"),
    "spread_title": Text("Spread of the pre-activations", "预激活值的标准差"),
    "update_title": Text("Update ratio |ΔW| / |W|", "单步更新比 |ΔW| / |W|"),
    "gradient_title": Text("Gradient norm", "梯度范数"),
    "usual_update": Text("about {value} is usual", "通常约为 {value}"),
    "spread": Text("spread", "标准差"),
    # class by class
    "classes": Text("Class by class", "各类别表现"),
    "labels": Text("Label by label", "各标签表现"),
    "class_scores": Text("Scores", "评分"),
    "label_scores": Text("Scores", "评分"),
    "class": Text("class", "类别"),
    "label": Text("label", "标签"),
    "precision": Text("precision", "精确率"),
    "recall": Text("recall", "召回率"),
    "f1": Text("F1", "F1"),
    "support": Text("test rows", "测试样本数"),
    "positives": Text("rows with it", "含该标签的样本数"),
    "taken_for": Text("most often taken for", "最常被误认为"),
    "confusion": Text("Confusion matrix", "混淆矩阵"),
    "confusion_about": Text(
        "A row is the true class, a column what the network says. Blue is right, orange is wrong; "
        "the stronger, the larger the share of the class.",
        "行为真实类别，列为网络的判断。蓝色为正确，橙色为错误；颜色越深，占该类的比例越大。",
    ),
    "true_predicted": Text("true ↓ predicted →", "真实 ↓ 预测 →"),
    "confusion_large": Text(
        "With {n} classes the matrix is too large for a page; these are the {most} most frequent mistakes.",
        "共有 {n} 个类别，矩阵过大；以下是最常见的 {most} 种错误。",
    ),
    "true": Text("true", "真实"),
    "predicted": Text("predicted", "预测"),
    "rows": Text("rows", "样本数"),
    # mistakes
    "mistakes": Text("Worst mistakes", "最严重的错误"),
    "mistakes_about": Text(
        "{wrong} of {rows} test rows are classified wrongly; these are the {shown} with the largest loss.",
        "{rows} 个测试样本中有 {wrong} 个分类错误；以下是损失最大的 {shown} 个。",
    ),
    "no_mistakes": Text("No test row is classified wrongly.", "没有分类错误的测试样本。"),
    "row": Text("test row", "测试样本"),
    "probability": Text("probability", "概率"),
    "mistake_about": Text(
        "Test row {row}: {true}, taken for {predicted}", "测试样本 {row}：{true}，被误认为 {predicted}"
    ),
    "was": Text("is", "实为"),
    "taken_as": Text("taken for", "误为"),
    # weights
    "weights": Text("First-layer weights", "第一层权重"),
    "weights_about": Text(
        "What the first {shown} of {units} units look for: a picture a unit, a pixel a weight. Blue "
        "weights are above zero, red below; all units have one scale.",
        "前 {shown} 个单元（共 {units} 个）所寻找的图案：每个单元一幅图，每个像素一个权重。蓝色大于零"
        "，红色小于零；所有单元使用同一刻度。",
    ),
    "weights_alt": Text(
        "Weights of {shown} units as pictures, from −{limit} (red) to {limit} (blue)",
        "{shown} 个单元的权重图，从 −{limit}（红）到 {limit}（蓝）",
    ),
    "weights_scale": Text(
        "Colours from −{limit} to {limit}; larger weights, 1 of 200, have the colour of the end.",
        "颜色范围从 −{limit} 到 {limit}；更大的权重（约两百分之一）取端点颜色。",
    ),
    # regression
    "fit": Text("Predicted against true", "预测值与真实值"),
    "fit_about": Text(
        "A dot is a test row; on the line the prediction is exact.",
        "每个点是一个测试样本；落在直线上表示预测准确。",
    ),
    "fit_thinned": Text("{shown} of {rows} test rows are drawn.", "图中画出 {rows} 个测试样本中的 {shown} 个。"),
    "fit_table": Text("Errors by output", "各输出的误差"),
    "output": Text("output", "输出"),
    "mean_error": Text("mean absolute error", "平均绝对误差"),
    "largest_error": Text("largest error", "最大误差"),
    "correlation": Text("correlation", "相关系数"),
    # reproducibility
    "again": Text("The same run again", "重现这次运行"),
    "command": Text("The exact command", "准确的命令"),
    "program": Text(
        "The data came from a Python program; there, repeat it with",
        "数据来自 Python 程序；请在该程序中重复运行",
    ),
    "by_array": Text(
        "It began with an array of parameters, which its configuration does not hold: no command can repeat it.",
        "它从一组给定的参数数组开始，配置中没有保存：没有命令可以重现。",
    ),
    "same_bits": Text(
        "The same configuration and seed give the same parameters, bit for bit, on the same machine and versions.",
        "在相同的机器和版本上，相同的配置和随机种子会得到逐位相同的参数。",
    ),
    "start_hash": Text("initial parameters, SHA-256", "初始参数的 SHA-256"),
    "theta_hash": Text("trained parameters, SHA-256", "训练后参数的 SHA-256"),
    "weights_hash": Text("weights of the rows, SHA-256", "样本权重的 SHA-256"),
    "checksum": Text("data {file}, MD5", "数据 {file} 的 MD5"),
    "facts": Text("Hashes, checksums, versions, machine", "哈希、校验和、版本与机器"),
    "fact": Text("what", "项目"),
    "made_by": Text("Made by glassnet {version}.", "由 glassnet {version} 生成。"),
    **STUDY_TEXTS,
    **REPRODUCTION_TEXTS,
    **QUESTION_TEXTS,
}


#: Names of measures and columns that have words of their own.
MEASURES = {
    *("accuracy", "auc", "sensitivity", "specificity", "r2", "mae", "loss", "epoch", "learning_rate"),
    *("balanced_accuracy", "f1", "log_loss"),
    *("train_loss", "train_accuracy", "validation_loss", "validation_accuracy"),
    *("dead_units", "saturated_units", "gradient_norm", "update_ratio"),
    *("validation_auc", "validation_r2", "validation_mae"),
    *("validation_balanced_accuracy", "validation_f1", "validation_log_loss"),
}


class Kind(NamedTuple):
    """A kind of diagnosis: what it is called, and in Chinese what it means, which the record says in English."""

    title: Text
    cause: str


#: By the names that `glassnet.training.health` gives them.
KINDS = {
    "duplicated-units": Kind(
        Text("duplicated units", "重复单元"),
        "该层所有单元的初始权重完全相同，得到的梯度也相同，因此始终是同一个单元，其余的都白白浪费了。",
    ),
    "unreachable-targets": Kind(
        Text("unreachable targets", "目标无法达到"),
        "输出层激活函数的取值范围容纳不下目标值，无论怎样训练都达不到。",
    ),
    "unscaled-inputs": Kind(
        Text("unscaled inputs", "输入未缩放"),
        "输入的均方根与网络所适合的大小（约为 1）相差太远，网络中也没有归一化。",
    ),
    "divergence": Kind(
        Text("divergence", "发散"),
        "训练中出现了无穷大或非数值（NaN），训练因此终止；原因是输入、初始权重或学习率过大。",
    ),
    "exploding-signal": Kind(
        Text("exploding signal", "信号爆炸"),
        "初始权重过大：训练之前，预激活值的标准差就已过大，损失也远高于最佳常数答案的损失。",
    ),
    "saturated-units": Kind(
        Text("saturated units", "饱和单元"),
        "该层的输出大多落在激活函数的平坦区，斜率几乎为零，几乎没有梯度能够传回。",
    ),
    "vanishing-signal": Kind(
        Text("vanishing signal", "信号消失"),
        "初始权重过小：信号逐层减弱，预激活值在各样本之间几乎没有差别。",
    ),
    "dead-units": Kind(
        Text("dead units", "死亡单元"),
        "这些单元对每个探测样本的输出和斜率都为零，梯度传不到它们，它们不再学习。",
    ),
    "vanishing-gradients": Kind(
        Text("vanishing gradients", "梯度消失"),
        "梯度在反向传播中逐层缩小，到第一层时与权重相比已微不足道，前面的层几乎学不到东西。",
    ),
    "oscillating-loss": Kind(
        Text("oscillating loss", "损失振荡"),
        "每一步对权重的改变过大，损失来回跳动而不下降。",
    ),
    "slow-learning": Kind(
        Text("slow learning", "学习过慢"),
        "每一步对权重的改变过小（通常约为权重大小的千分之一），因此几乎没有进展。",
    ),
    "stuck-loss": Kind(
        Text("stuck loss", "损失停滞"),
        "损失与最佳常数答案的损失相差无几：步长既不过大也不过小，却没有学到任何区分样本的东西。"
        "请检查目标与样本是否对应。",
    ),
    "unfinished": Kind(
        Text("unfinished", "尚未学完"),
        "网络正在学习，但可学的内容还有一半以上没有学到。",
    ),
    "constant-output": Kind(
        Text("constant output", "输出恒定"),
        "网络对每个样本给出同一个答案，没有利用输入；这样的损失不会低于最佳常数答案的损失。",
    ),
    "over-fitting": Kind(
        Text("over-fitting", "过拟合"),
        "训练损失仍在下降，验证损失却已从最低点回升：网络开始死记训练样本。",
    ),
}

#: What a remedy changes, likewise.
FAMILIES = {
    "learning rate": Text("the learning rate", "调整学习率"),
    "initializer": Text("the initial weights", "更换参数的初始化方法"),
    "activation": Text("the activation", "更换激活函数"),
    "batch normalisation": Text("batch normalisation, or scaled inputs", "使用批归一化，或先缩放输入"),
    "output": Text("the output", "更换输出层的激活函数"),
    "rows": Text("the rows that are drawn", "从全部训练样本中抽取"),
    "early stopping": Text("early stopping", "提前停止训练"),
}


class Words:
    """The words of one language.

    Parameters
    ----------
    language : {"en", "zh"}

    Raises
    ------
    UsageError
        If there are no words in that language.

    Examples
    --------
    >>> Words("en").say("epochs", n=3), Words("zh").say("epochs", n=3)
    ('3 epochs', '3 轮')
    """

    def __init__(self, language: str) -> None:
        if language not in LANGUAGES:
            raise unknown_name("language", language, LANGUAGES)
        self.language = language

    def say(self, key: str, **values: Any) -> str:
        """Return a sentence with its values filled in."""
        return self._of(TEXTS[key]).format(**values)

    def _of(self, text: Text) -> str:
        return text.en if self.language == "en" else text.zh

    def measure(self, name: str) -> str:
        """Return what a measure is called; a name that nobody translated as it is.

        Examples
        --------
        >>> Words("zh").measure("accuracy"), Words("en").measure("my_own_score")
        ('准确率', 'my own score')
        """
        if name in MEASURES:
            return self.say(name)
        return name.replace("_", " ") if self.language == "en" else name

    def kind(self, kind: str) -> str:
        """Return what a kind of diagnosis is called.

        Examples
        --------
        >>> Words("en").kind("dead-units"), Words("zh").kind("dead-units"), Words("en").kind("something-new")
        ('dead units', '死亡单元', 'something new')
        """
        found = KINDS.get(kind)
        return kind.replace("-", " ") if found is None else self._of(found.title)

    def cause(self, kind: str, recorded: str) -> str | None:
        """Return the cause of a diagnosis: as recorded, which is English; None where no translation is known.

        Examples
        --------
        >>> Words("en").cause("dead-units", "the step was too large"), Words("zh").cause("something-new", "a step")
        ('the step was too large', None)
        """
        if self.language == "en":
            return recorded
        found = KINDS.get(kind)
        return None if found is None else found.cause

    def family(self, family: str) -> str | None:
        """Return what a remedy changes; None where no words are known for it."""
        found = FAMILIES.get(family)
        return None if found is None else self._of(found)

    def duration(self, seconds: float) -> str:
        """Return a time as people say it.

        Examples
        --------
        >>> words = Words("en")
        >>> words.duration(4.23), words.duration(272), words.duration(7500)
        ('4.2 s', '4 min 32 s', '2 h 5 min')
        """
        if seconds < 59.95:
            return self.say("seconds", seconds=f"{seconds:.1f}" if seconds >= 1 else f"{seconds:.2g}")
        whole = round(seconds)
        if whole < 3600:
            return self.say("minutes", minutes=whole // 60, seconds=whole % 60)
        return self.say("hours", hours=whole // 3600, minutes=whole % 3600 // 60)

    def count_epochs(self, n: int) -> str:
        """Return a number of epochs."""
        return self.say("one_epoch") if n == 1 else self.say("epochs", n=n)
