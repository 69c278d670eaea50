"""Invented names in the manner of northern Chinese towns: streets, lanes, communities, compounds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

COMMUNITIES = (
    "惠民", "和平", "光明", "新华", "建设", "幸福", "友谊", "团结", "育才", "文化", "春风", "朝阳",
    "清泉", "安居", "永安", "吉祥", "长青", "丰收", "柳林", "松园", "竹苑", "梅园", "兰亭", "杏花",
    "桃源", "枫桥", "梧桐", "银杏", "石桥", "水岸", "河湾", "湖畔", "山前", "坡下", "城南", "城北",
    "东关", "西关", "站前", "市场", "书院", "钟楼", "鼓楼", "粮站", "纺织", "机床", "振兴", "富强",
    "民主", "自强", "崇文", "尚德", "明德", "向阳", "前进", "胜利", "曙光", "先锋", "红星", "卫国",
    "兴业", "裕民", "康宁", "泰和", "瑞祥", "怡景", "锦绣", "荷塘", "莲花", "翠微", "云锦", "月牙",
    "玉泉", "金沙", "银河", "北斗", "南塘", "西溪", "东篱", "中兴", "大同", "小康", "同心", "同德",
    "滨江", "临港", "码头", "渡口", "铁西", "铁东", "站北", "机场", "电力", "邮电", "供销", "农机",
    "橡胶", "轴承", "铸造", "化工", "造纸", "食品", "果园", "菜园", "苗圃", "花圃", "牧场", "渔场",
    "青松", "翠柏", "白桦", "红枫",
)  # fmt: skip

STREET_WORDS = (
    "惠民", "民主", "自强", "崇文", "尚德", "明德", "向阳", "前进", "胜利", "曙光", "振兴", "富强",
    "兴业", "裕民", "康宁", "泰和", "瑞祥", "怡景", "锦绣", "育才", "学府", "书院", "钟楼", "鼓楼",
    "仓前", "粮市", "马市", "花市", "布市", "油坊", "酒坊", "铁匠", "染坊", "盐店", "当铺", "府前",
    "县前", "庙前", "塔西", "塔东", "井泉", "柳荫", "槐荫", "榆树", "桑园", "枣园", "梨园", "杏林",
    "桃李", "梅溪", "兰溪", "荷塘", "莲塘", "菱湖", "白塔", "红石", "青石", "金水", "玉带", "银河",
    "长春", "永春", "宜春", "丰泽", "丰和", "丰收", "安平", "安康", "安宁", "平安", "永安", "永福",
    "永兴", "东兴", "西兴", "南兴", "北兴", "大庆", "和顺", "和谐", "和睦", "仁爱", "仁和", "义和",
    "信义", "诚信", "勤俭", "劳动", "工农", "纺织", "机床", "轴承", "电机", "仪表", "化工", "冶金",
    "建材", "木材", "航运", "码头", "渡口", "站前", "站北", "交通", "邮电", "电力", "供水", "环翠",
    "环秀", "云台", "云峰", "凤鸣", "凤山", "龙泉", "龙首", "鹿鸣", "鹤翔", "雁门", "燕山", "松涛",
    "竹园", "翠竹", "红枫", "白桦", "海棠", "丁香", "紫荆", "芙蓉", "玉兰", "木兰", "银杏", "梧桐",
)  # fmt: skip

COMPOUND_WORDS = (
    "惠民", "光明", "和平", "安居", "幸福", "新华", "建设", "团结", "友谊", "育才", "春风", "朝阳",
    "清泉", "永安", "吉祥", "长青", "丰收", "柳林", "松园", "竹苑", "梅园", "兰亭", "杏花", "桃源",
    "枫桥", "梧桐", "银杏", "石桥", "水岸", "河湾", "湖畔", "城南", "城北", "站前", "书香", "钟楼",
    "锦绣", "金桥", "银座", "玉泉", "翠园", "雅居", "怡园", "盛世", "华庭", "阳光", "星河", "月亮湾",
    "康乐", "福星", "福满", "祥和", "嘉和", "嘉园", "景秀", "龙泉", "凤凰", "紫薇", "丁香", "海棠",
    "香樟", "红枫", "绿洲", "天华", "天和", "万和", "百合", "东方", "南苑", "西苑", "北苑", "中和",
)  # fmt: skip

WORKS = (
    "铁路",
    "纺织厂",
    "机床厂",
    "轴承厂",
    "粮食局",
    "供销社",
    "邮电局",
    "师范",
    "水利局",
    "电业局",
    "化肥厂",
    "食品厂",
)

SUFFIXES = {
    "old": ("里", "胡同", "大院"),
    "mid": ("小区", "新村", "家属院", "里"),
    "new": ("花园", "家园", "苑", "府", "华城"),
}
LANDMARKS = {
    "station": "火车站", "park": "人民公园", "market": "中心市场", "hospital": "第一医院",
    "stadium": "体育中心", "works": "工业园", "college": "职业学院", "square": "时代广场", "offices": "商务中心",
    "school": "学校", "bank": "滨河绿地", "garden": "街心花园",
}  # fmt: skip
NUMERALS = "一二三四五六七八九"


def street_names(rng: np.random.Generator, taken: Sequence[str]) -> tuple[Iterator[str], Iterator[str]]:
    """Return names for streets that run north and south (街), and east and west (路), each once."""
    words = [STREET_WORDS[int(n)] for n in rng.permutation(len(STREET_WORDS))]
    half = len(words) // 2
    used = set(taken)

    def names(own: Sequence[str], endings: Sequence[str]) -> Iterator[str]:
        for ending in endings:
            for word in own:
                if word + ending not in used:
                    used.add(word + ending)
                    yield word + ending
        number = 1
        while True:
            yield f"纬{number}路" if endings[0] == "路" else f"经{number}街"
            number += 1

    return names(words[:half], ("街", "东街", "西街", "巷")), names(words[half:], ("路", "南路", "北路", "支路"))


def compound_names(rng: np.random.Generator) -> dict[str, Iterator[str]]:
    """Return names of compounds by what was built there (`old`, `mid`, `new`), each once."""
    used: set[str] = set()

    def names(era: str) -> Iterator[str]:
        plain = [
            base + ending for ending in SUFFIXES[era] for base in (WORKS if ending == "家属院" else COMPOUND_WORDS)
        ]
        mixed = [plain[int(n)] for n in rng.permutation(len(plain))]
        for part in ("", "东区", "西区", "南区", "北区", *(f"{numeral}区" for numeral in NUMERALS)):
            for name in mixed:
                if name + part not in used:
                    used.add(name + part)
                    yield name + part

    return {era: names(era) for era in SUFFIXES}
