import re

from tests.chinese import misplaced_marks, terms, text_of

from glassnet.searches.page import write_search_report


def test_the_page_says_what_the_folder_holds(found):
    page = write_search_report(found)
    text = page.read_text()
    assert page == found.folder / "report.html"
    for one in found.trials:
        assert one.name in text
    assert f"glassnet train --plan {found.folder}/plan.toml" in text
    assert "--first-epochs 1" in text
    assert "http://" not in re.sub(r"http://www\.w3\.org\S+", "", text)
    twin = (found.folder / "report.md").read_text()
    assert "## Which parameters mattered" in twin
    assert "PED-ANOVA" in twin


def test_the_chinese_page_is_chinese(found):
    text = write_search_report(found, language="zh").read_text()
    assert 'lang="zh-CN"' in text
    assert "搜索报告" in text
    assert "The ranking" not in text
    shown = text_of(text)
    assert misplaced_marks(shown) == []
    assert [term for term in terms()[1] if term in shown] == []
    write_search_report(found)
