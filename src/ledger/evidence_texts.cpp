#include "ledger/evidence_texts.h"

#include <algorithm>
#include <array>
#include <set>

#include "crypto/hash.h"
#include "crypto/validator_set.h"

namespace baolian::ledger {
namespace {

// Texts version 1. Published: neither a character nor the order changes any more; corrections are
// version 2.
constexpr std::array kTemplates1 = {
    TextTemplate{1, "words: question log_window",
                 "Question: which entries does the log \"{log}\" of {id} hold from {from} "
                 "(included) to {to} (not "
                 "included)?",
                 "问题：{id} 的“{log}”日志自 {from}（含）至 {to}（不含）有哪些条目？"},
    TextTemplate{2, "words: question operation, op_index below 65535",
                 "Question: what came of operation {op_index} of transaction {tx_hash}?",
                 "问题：交易 {tx_hash} 的第 {op_index} 个操作结果如何？"},
    TextTemplate{3, "words: question operation, op_index 65535",
                 "Question: what came of transaction {tx_hash} as a whole?",
                 "问题：交易 {tx_hash} 整体结果如何？"},
    TextTemplate{4, "words: question state",
                 "Question: what value had the state key {key} after block {height}?",
                 "问题：区块 {height} 之后状态键 {key} 的值是什么？"},
    TextTemplate{10, "words: consensus_kind pbft",
                 "Chain: block {height} of {time} on chain {chain} ({chain_id}) is certified by "
                 "{signers} of {validators} validators; {quorum} are needed. Of these signers, "
                 "{known} are nodes of {institutions} institutions of the genesis file.",
                 "链：链{chain}（{chain_id}）上时间为 {time} 的区块 {height} 由 {validators} "
                 "个验证节点中的 {signers} 个签名认证，至少需要 {quorum} 个。签名者中有 {known} "
                 "个是创世文件所列 {institutions} 家机构的节点。"},
    TextTemplate{11, "words: consensus_kind raft",
                 "Chain: {signers} of {validators} nodes attested block {height} of {time} on "
                 "chain {chain} ({chain_id}); {quorum}, a majority, are needed. Of these signers, "
                 "{known} are nodes of {institutions} institutions of the genesis file.",
                 "链：链{chain}（{chain_id}）上时间为 {time} 的区块 {height} 由 {validators} "
                 "个节点中的 {signers} 个证明，至少需要过半数 {quorum} 个。签名者中有 {known} "
                 "个是创世文件所列 {institutions} 家机构的节点。"},
    TextTemplate{12, "words: certified_header present",
                 "Chain: block {height} of {time}, on which this proof stands, belongs to the "
                 "history of that block.",
                 "链：本证明所依据的、时间为 {time} 的区块 {height} 属于该区块的历史。"},
    TextTemplate{20, "words: log_window with entries",
                 "Answer: exactly {count} entries. The list is complete and in order: none is "
                 "missing, added, moved or "
                 "changed.",
                 "回答：恰有 {count} 条。该列表完整且有序：没有缺失、增加、移动或更改任何条目。"},
    TextTemplate{21, "words: log_window without entries, frontier.count above 0",
                 "Answer: no entry. The log exists and holds none in this time.",
                 "回答：没有条目。该日志存在，在此期间无任何记录。"},
    TextTemplate{22, "words: operation with status applied", "Answer: the operation was applied.",
                 "回答：该操作已执行。"},
    TextTemplate{23, "words: operation with status rejected",
                 "Answer: the operation was rejected with code {code} and changed nothing.",
                 "回答：该操作被拒绝，代码 {code}，未作任何更改。"},
    TextTemplate{24, "words: operation with status transaction_rejected",
                 "Answer: the transaction was rejected as a whole with code {code}; none of its "
                 "operations took effect.",
                 "回答：该交易整体被拒绝，代码 {code}，其中任何操作均未生效。"},
    TextTemplate{25, "words: state with a value",
                 "Answer: a value of {bytes} bytes with SHA-256 {hash}.",
                 "回答：值为 {bytes} 字节，SHA-256 为 {hash}。"},
    TextTemplate{26, "words: state without a value", "Answer: the key was absent.",
                 "回答：该键不存在。"},
    TextTemplate{27, "words: log_window, frontier.count 0",
                 "Answer: no entry. Up to block {height} nothing was ever entered in this log. An "
                 "id that nothing uses looks the same: compare {id} with the id that you mean.",
                 "回答：没有条目。截至区块 {height}，该日志从未有任何记录。无人使用的编号看起来也"
                 "一样：请将 {id} 与您所指的编号比对。"},
    TextTemplate{30, "words: one for each group of facts with an entry",
                 "Entry {entry}, entered in the log at {facts}.",
                 "条目 {entry}，记入日志于{facts}。"},
    TextTemplate{31, "words: one for each group of facts without an entry", "Facts: {facts}.",
                 "事实：{facts}。"},
    TextTemplate{40, "one fact, label enforced", "{name}: {value} [enforced]",
                 "{name}：{value}［强制校验］"},
    TextTemplate{41, "one fact, label agreed", "{name}: {value} [agreed: {by}]",
                 "{name}：{value}［双方一致：{by}］"},
    TextTemplate{42, "one fact, label stated", "{name}: {value} [stated by {by}, unchecked]",
                 "{name}：{value}［{by} 陈述，未经核验］"},
    TextTemplate{43, "one fact, label recomputed", "{name}: {value} [recomputed]",
                 "{name}：{value}［已重新计算］"},
    TextTemplate{
        60, "limits: always",
        "This proves order and integrity from submission on, not that what was submitted is true.",
        "本文件证明提交之后的顺序与完整性，不证明所提交内容本身真实。"},
    TextTemplate{
        61, "limits: log_window",
        "A log is complete for what reached the chain: an event that nobody reported is not in it, "
        "and a "
        "photograph of a screen or a look into a hospital's own database is outside of it.",
        "日志对已上链事项完整：无人上报的事件不在其中，拍摄屏幕或直接查询医院自有数据库也不在其中"
        "。"},
    TextTemplate{62, "limits: log_window",
                 "Nothing is said of the time before {from} and from {to} on.",
                 "对 {from} 之前及 {to} 起的时间不作任何说明。"},
    TextTemplate{63, "limits: operation",
                 "Nothing is said of what later operations changed, revoked or added.",
                 "对其后操作所作的更改、撤销或补充不作任何说明。"},
    TextTemplate{64, "limits: state",
                 "Nothing is said of the state before or after block {height}.",
                 "对区块 {height} 之前或之后的状态不作任何说明。"},
    TextTemplate{
        65, "limits: always",
        "A fact marked as stated was signed by the party that is named and checked by nobody.",
        "标明“陈述”的事实由所列一方签名，未经任何人核验。"},
    TextTemplate{66, "limits: always",
                 "Pseudonyms hide persons from outsiders, not from whoever holds the key that they "
                 "are made with.",
                 "假名仅对外部人员隐藏个人身份，对持有生成密钥者并不隐藏。"},
    TextTemplate{67, "limits: subject_id_scheme 0",
                 "The pseudonyms of this chain are made with key files (scheme 0): every holder of "
                 "such a file can "
                 "derive them.",
                 "本链假名由密钥文件生成（方案 0）：任何持有该文件者均可推导。"},
    TextTemplate{68, "limits: consensus_kind pbft",
                 "The certificate is worth what its signers are: it holds while at most {faulty} "
                 "of the {validators} "
                 "validators are dishonest, and the genesis file must have come from a source that "
                 "you trust.",
                 "证书的效力取决于签名者：在 {validators} 个验证节点中至多 {faulty} "
                 "个不诚实时成立；创世文件须来自您信任的"
                 "来源。"},
    TextTemplate{
        69, "limits: consensus_kind raft",
        "Under Raft the certificate says no more than that a majority of the named nodes attested: "
        "it withstands crashes, but a dishonest leader or majority can lie. The genesis file must "
        "have come from a source that you trust.",
        "在 Raft 下，证书仅表示名单中的过半数节点作了证明：可容忍宕机，但不诚实的领导节点或过半数"
        "节点可以说谎；创世文件须来自您信任的来源。"},
    TextTemplate{
        70, "limits: log_window of reads_of_subject, denials_of_subject, consents_of_subject",
        "The id of this log is a hash of an audience and a pseudonym: it does not show whose log "
        "this is. Compute it from both and compare.",
        "该日志的编号是受众与假名的哈希，看不出是谁的日志；请由二者重新计算并比对。"},
    TextTemplate{
        71, "limits: log_window and operation",
        "Who sent, cosigned or attested is shown as the certifying validators accepted it: the "
        "signed transaction itself is not in this file.",
        "发送、会签与见证方以认证验证节点所接受者为准：经签名的交易本身不在本文件中。"},
    TextTemplate{
        72, "limits: trail not empty",
        "The validators changed {changes} times since the genesis. What is said of the last ones "
        "must be true of those of each earlier epoch too, and of their keys even after they left: "
        "enough old keys make another trail.",
        "自创世以来验证节点更换过 {changes} 次。对现任验证节点所作的说明，对此前各任期的验证节点"
        "同样须成立，其离任后的密钥亦然：足够多的旧密钥可另造一条更替链。"},
    TextTemplate{
        73, "limits: an epoch before R is of consensus_kind raft",
        "An epoch before the last one was of kind raft: a majority of its nodes could have named "
        "all later validators.",
        "最后任期之前有任期采用 raft：其过半数节点即可指定此后全部验证节点。"},
};

constexpr std::array kNames1 = {
    NameText{"log=reads_of_record", "readings of a record", "病历调阅"},
    NameText{"log=reads_of_subject", "readings about a person", "个人信息调阅"},
    NameText{"log=reads_by_institution", "readings by an institution", "机构所作调阅"},
    NameText{"log=reads_at_institution", "readings at an institution", "在机构处的调阅"},
    NameText{"log=denials_of_subject", "denied readings about a person", "个人信息被拒调阅"},
    NameText{"log=denials_by_institution", "denied readings by an institution", "机构被拒调阅"},
    NameText{"log=consents_of_subject", "consents of a person", "个人授权"},
    NameText{"log=claim", "story of a claim", "理赔案件经过"},
    NameText{"log=claims_of_insurer", "claims at an insurer", "保险公司理赔案件"},
    NameText{"log=reports_of_institution", "reports of an institution", "机构报案"},
    NameText{"log=payouts_of_insurer", "payouts of an insurer", "保险公司赔付"},
    NameText{"log=alarms", "alarms", "告警"},
    NameText{"block_height", "block", "区块"},
    NameText{"block_time", "block time", "区块时间"},
    NameText{"transaction", "transaction", "交易"},
    NameText{"sender", "signed by the key", "签名公钥"},
    NameText{"line", "line of the batch", "批内行号"},
    NameText{"operation_kind", "kind of operation", "操作类型"},
    NameText{"outcome", "outcome", "结果"},
    NameText{"outcome=applied", "applied", "已执行"},
    NameText{"outcome=rejected", "rejected", "被拒绝"},
    NameText{"outcome=transaction_rejected", "rejected with its whole transaction",
             "随整个交易被拒绝"},
    NameText{"code", "code", "代码"},
    NameText{"operation", "operation", "操作"},
    NameText{"operation=consent.give", "consent given", "给予授权"},
    NameText{"operation=consent.confirm", "consents confirmed", "确认授权"},
    NameText{"operation=consent.revoke", "consent revoked", "撤销授权"},
    NameText{"operation=consent.register_key", "person's key registered", "登记本人密钥"},
    NameText{"operation=records.register", "record registered", "登记病历"},
    NameText{"operation=records.read", "record read at its holder", "本地调阅病历"},
    NameText{"operation=records.request", "record requested from its custodian",
             "向保管机构申请调阅"},
    NameText{"operation=records.release", "key of a record released", "释放病历密钥"},
    NameText{"operation=records.receive", "record received", "接收病历"},
    NameText{"operation=product.register", "product registered", "登记产品"},
    NameText{"operation=policies.enrol", "policies enrolled", "投保登记"},
    NameText{"operation=claims.report", "case reported", "报案"},
    NameText{"operation=claims.file", "claim filed later", "补充立案"},
    NameText{"operation=claims.decide", "claim decided", "理赔决定"},
    NameText{"operation=claims.supplement", "paper brought", "补充材料"},
    NameText{"operation=claims.pay", "payout made", "赔款支付"},
    NameText{"operation=claims.withdraw", "claim withdrawn", "撤回案件"},
    NameText{"operation=claims.request_review", "review requested", "申请复核"},
    NameText{"operation=claims.late_countersign", "countersigned late", "补签会签"},
    NameText{"operation=claims.explained", "explanation given", "已作说明"},
    NameText{"operation=catalog.publish", "code map published", "发布编码对照"},
    NameText{"operation=system.sweep", "deadlines swept", "逾期清查"},
    NameText{"code_name", "meaning of the code", "代码含义"},
    NameText{"reading", "reading", "调阅"},
    NameText{"reading=local", "at the holder itself", "在持有机构本地"},
    NameText{"reading=granted", "granted", "已准许"},
    NameText{"reading=denied", "denied", "已拒绝"},
    NameText{"reading=released", "key released", "密钥已释放"},
    NameText{"reading=received", "received", "已接收"},
    NameText{"denied_because", "denied because", "拒绝原因"},
    NameText{"grant", "grant", "许可编号"},
    NameText{"record", "record", "病历"},
    NameText{"reader", "reader", "调阅机构"},
    NameText{"member", "member who reads", "调阅成员"},
    NameText{"mode", "read by", "调阅方式"},
    NameText{"mode=human", "a person", "人工"},
    NameText{"mode=automatic", "a program", "程序自动"},
    NameText{"purpose", "purpose", "用途"},
    NameText{"purpose=TREAT", "treatment", "诊疗"},
    NameText{"purpose=HPAYMT", "claims and payment", "理赔与支付"},
    NameText{"purpose=HOPERAT", "operations of the institution", "机构运营"},
    NameText{"purpose=PATRQT", "request of the person", "本人要求"},
    NameText{"purpose=HRESCH", "research", "科研"},
    NameText{"purpose=PUBHLTH", "public health", "公共卫生"},
    NameText{"purpose=HLEGAL", "legal", "法律事务"},
    NameText{"purpose=ETREAT", "emergency treatment", "急救"},
    NameText{"trigger", "caused by", "触发原因"},
    NameText{"trigger=person_action", "an action of a person", "人员操作"},
    NameText{"trigger=claim_filed", "a filed claim", "理赔立案"},
    NameText{"trigger=countersignature", "a countersignature", "会签"},
    NameText{"trigger=scheduled", "a schedule", "定时任务"},
    NameText{"trigger=audit", "an audit", "审计"},
    NameText{"custodian", "custodian", "保管机构"},
    NameText{"subject", "pseudonym of the person", "个人假名"},
    NameText{"basis", "basis", "调阅依据"},
    NameText{"basis=consent", "a consent", "授权"},
    NameText{"basis=claim", "a claim", "理赔案件"},
    NameText{"basis=care", "care of the person", "诊疗关系"},
    NameText{"basis=legal", "a legal order", "法律依据"},
    NameText{"basis=break_glass", "an emergency", "紧急情况"},
    NameText{"basis_id", "id of the basis", "依据编号"},
    NameText{"consent", "consent", "授权编号"},
    NameText{"attestation", "consent attested by", "授权见证方式"},
    NameText{"attestation=person_key", "the person's own key", "本人密钥"},
    NameText{"attestation=attestor", "an attestor", "见证方"},
    NameText{"attestation=grantee_attested", "nobody but the grantee", "仅被授权方自述"},
    NameText{"attested_by", "attesting institution", "见证机构"},
    NameText{"person_key", "the person's own key", "本人密钥"},
    NameText{"person_key=none", "none", "无"},
    NameText{"key_is_the_persons", "the key is in the person's hand", "密钥由本人持有"},
    NameText{"release_until", "key to be released until", "密钥最迟释放时间"},
    NameText{"via", "intermediary", "中介机构"},
    NameText{"commitment", "commitment to the sealed record", "密封病历承诺值"},
    NameText{"wrap_hash", "hash of the sealed key", "密封密钥哈希"},
    NameText{"ciphertext_hash", "hash of the ciphertext", "密文哈希"},
    NameText{"receive_until", "receipt to be recorded until", "最迟接收登记时间"},
    NameText{"mismatch", "commitment that does not match what arrived", "与到达内容不符的承诺值"},
    NameText{"claim_opened", "claim opened", "已受理案件"},
    NameText{"decision_due", "decision due", "最迟决定时间"},
    NameText{"grantee", "who may read", "被授权机构"},
    NameText{"giver", "given by", "授权人"},
    NameText{"giver=self", "the person", "本人"},
    NameText{"giver=guardian", "a guardian", "监护人"},
    NameText{"purposes", "purposes", "用途范围"},
    NameText{"classes", "classes of records", "病历类别范围"},
    NameText{"level_ceiling", "highest level", "最高密级"},
    NameText{"holds_from", "holds from", "生效时间"},
    NameText{"holds_from=when_given", "when it was given", "给予之时"},
    NameText{"holds_to", "holds until", "失效时间"},
    NameText{"automatic_reading", "reading by programs", "程序自动调阅"},
    NameText{"automatic_reading=refused", "refused", "不允许"},
    NameText{"automatic_reading=allowed", "allowed", "允许"},
    NameText{"encounter", "tag of the encounter", "就诊标签"},
    NameText{"exceptions", "number of exceptions", "例外数目"},
    NameText{"terms_hash", "hash of the consent's terms", "授权条款哈希"},
    NameText{"the_person_wants_it", "the person wants it", "系本人意愿"},
    NameText{"the_person_wants_it=yes", "yes", "是"},
    NameText{"claims_withdrawn", "number of claims withdrawn", "撤回案件数"},
    NameText{"claim_withdrawn", "claim withdrawn", "被撤回案件"},
    NameText{"insurer", "insurer", "保险公司"},
    NameText{"class", "class of the record", "病历类别"},
    NameText{"class=administrative", "administrative", "行政"},
    NameText{"class=bill", "bill", "账单"},
    NameText{"class=clinical_summary", "clinical summary", "临床摘要"},
    NameText{"class=document", "document", "文书"},
    NameText{"class=image", "image", "影像"},
    NameText{"level", "level", "密级"},
    NameText{"product", "product", "产品"},
    NameText{"product_version", "version of the product", "产品版本"},
    NameText{"content_hash", "hash of the product's content", "产品内容哈希"},
    NameText{"cover_basis", "date that must be covered", "承保依据日期"},
    NameText{"cover_basis=admission", "admission", "入院日期"},
    NameText{"cover_basis=discharge", "discharge", "出院日期"},
    NameText{"cover_basis=item_date", "date of each item", "费用发生日期"},
    NameText{"authorization", "consent for claims", "理赔授权方式"},
    NameText{"authorization=standing", "standing", "长期授权"},
    NameText{"authorization=per_claim", "one for each claim", "一案一授权"},
    NameText{"payer_rank", "rank among payers", "赔付顺位"},
    NameText{"premium_sources", "how premiums may be paid", "可用保费来源"},
    NameText{"starts_from", "cover may start from", "最早起保日"},
    NameText{"starts_to", "cover may start until", "最晚起保日"},
    NameText{"lines", "number of lines", "行数"},
    NameText{"policy", "policy", "保单"},
    NameText{"premium_class", "premium class", "保费类别"},
    NameText{"premium_source", "premium paid from", "保费来源"},
    NameText{"premium_source=cash", "cash", "现金"},
    NameText{"premium_source=own_account", "own account of basic insurance", "本人医保个人账户"},
    NameText{"premium_source=lineal_account", "account of a lineal relative",
             "直系亲属医保个人账户"},
    NameText{"cover_from", "first day of cover", "承保首日"},
    NameText{"cover_to", "last day of cover", "承保末日"},
    NameText{"reporter", "reporter", "报案机构"},
    NameText{"report_kind", "kind of report", "报案类型"},
    NameText{"report_kind=inpatient_discharge", "discharge from a hospital stay", "住院出院"},
    NameText{"report_kind=special_outpatient", "special outpatient treatment", "门诊特殊病"},
    NameText{"report_kind=pharmacy_sale", "sale at a pharmacy", "药店购药"},
    NameText{"report_kind=therapy_course", "course of therapy", "治疗疗程"},
    NameText{"first_month", "month of admission", "入院月份"},
    NameText{"last_month", "month of discharge", "出院月份"},
    NameText{"payload", "sealed bill", "密封账单"},
    NameText{"payload_commitment", "commitment to the sealed bill", "密封账单承诺值"},
    NameText{"invoices", "number of invoices", "发票数"},
    NameText{"claims", "number of claims filed", "立案数"},
    NameText{"file_until", "may be filed until", "最迟立案时间"},
    NameText{"not_filed", "not filed, insurer and reason", "未立案（保险公司与原因）"},
    NameText{"care_subject", "pseudonym of the person for care", "诊疗假名"},
    NameText{"listed_record", "record of the case", "案件病历"},
    NameText{"claim_filed", "claim filed", "已立案件"},
    NameText{"by=sender", "the sender", "发送方"},
    NameText{"by=sender and attestor", "sender and attestor", "发送方与见证方"},
    NameText{"by=sender and the person", "sender and the person", "发送方与本人"},
    NameText{"by=custodian", "the record's custodian", "病历保管机构"},
    NameText{"claim", "claim", "案件"},
    NameText{"decision_number", "number of the decision", "决定序号"},
    NameText{"claim_outcome", "outcome of the decision", "决定结果"},
    NameText{"claim_outcome=payable", "payable", "可赔付"},
    NameText{"claim_outcome=needs_paper", "a paper is missing", "需补充材料"},
    NameText{"claim_outcome=needs_person", "a person decides", "转人工审核"},
    NameText{"payload_version", "version of the bill", "账单版本"},
    NameText{"code_map", "code map used", "所用编码对照"},
    NameText{"rule_set", "version of the rules", "规则版本"},
    NameText{"engine", "version of the engine", "计算引擎版本"},
    NameText{"persons_signed", "adjusters who signed", "签字理赔人员数"},
    NameText{"decision_commitment", "commitment to the decision", "决定承诺值"},
    NameText{"countersigning", "countersignature of the reporter", "报案机构会签"},
    NameText{"countersigning=countersigned", "countersigned", "已会签"},
    NameText{"countersigning=uncountersigned", "not countersigned", "未会签"},
    NameText{"withheld", "part not paid", "未赔付部分"},
    NameText{"withheld=none", "none", "无"},
    NameText{"withheld=declared", "declared by the product", "产品约定扣除"},
    NameText{"withheld=provisional", "provisional, until explained", "暂扣，待说明"},
    NameText{"payout", "payout and balance, as commitments", "赔款与余额承诺值"},
    NameText{"sums_moved", "balances and total moved by these payouts, lines",
             "余额与累计赔款已随赔款变动的行数"},
    NameText{"total_before", "total paid before, as a commitment", "此前累计赔款承诺值"},
    NameText{"accumulators", "accumulators moved", "变动的累计项数"},
    NameText{"escrow_hash", "hash of the sealed escrow", "托管密文哈希"},
    NameText{"next_due", "next step due", "下一步最迟时间"},
    NameText{"brought_by", "brought by", "提交机构"},
    NameText{"payee_kind", "paid to", "收款方"},
    NameText{"payee_kind=person", "the insured person", "被保险人"},
    NameText{"payee_kind=institution", "an institution", "机构"},
    NameText{"payment_reference", "commitment to the payment reference", "支付凭证承诺值"},
    NameText{"claim_closed", "claim closed", "案件已结"},
    NameText{"claim_closed=yes", "yes", "是"},
    NameText{"claim_closed=no", "no", "否"},
    NameText{"explanation", "commitment to the explanation", "说明承诺值"},
    NameText{"catalog", "catalogue", "目录"},
    NameText{"catalog_version", "version of the catalogue", "目录版本"},
    NameText{"publisher", "published by", "发布机构"},
    NameText{"map_hash", "hash of the code map", "编码对照哈希"},
    NameText{"swept_to", "deadlines up to", "清查截至"},
    NameText{"overdue", "overdue", "逾期事项"},
    NameText{"overdue=insurer_request", "the insurer requests the bill", "保险公司调阅账单"},
    NameText{"overdue=hospital_release", "the hospital releases the bill", "医院放行账单"},
    NameText{"overdue=insurer_decide", "the insurer decides", "保险公司决定"},
    NameText{"overdue=person_paper", "the person brings the paper", "本人补充材料"},
    NameText{"overdue=insurer_review", "a person of the insurer decides", "保险公司人工审核"},
    NameText{"overdue=insurer_pay", "the insurer pays", "保险公司付款"},
    NameText{"overdue=insurer_explain", "the insurer explains", "保险公司说明"},
    NameText{"was_due", "was due", "应于"},
    NameText{"debtor", "who owes it", "责任机构"},
};

using Arguments = std::vector<std::pair<std::string_view, std::string>>;

/// Replaces {name} by its argument, in one pass: braces inside of arguments stay as they are.
std::string fill_text(std::string_view text, const Arguments& arguments) {
  std::string out;
  while (true) {
    const std::size_t open = text.find('{');
    if (open == std::string_view::npos) return out.append(text);
    const std::size_t close = text.find('}', open);
    ASSERT(close != std::string_view::npos);
    out.append(text.substr(0, open));
    const std::string_view name = text.substr(open + 1, close - open - 1);
    const auto found = std::find_if(arguments.begin(), arguments.end(),
                                    [&](const auto& a) { return a.first == name; });
    ASSERT(found != arguments.end());
    out.append(found->second);
    text.remove_prefix(close + 1);
  }
}

/// Fills templates of one texts version.
class Speaker {
 public:
  explicit Speaker(std::uint16_t texts)
      : templates_(text_templates(texts)), names_(name_texts(texts)) {
    ASSERT(!templates_.empty());
  }

  const TextTemplate& text(std::uint16_t number) const {
    const auto found = std::find_if(templates_.begin(), templates_.end(),
                                    [&](const auto& t) { return t.number == number; });
    ASSERT(found != templates_.end());
    return *found;
  }

  /// A sentence with the same arguments in both languages.
  Sentence say(std::uint16_t number, const Arguments& arguments) const {
    return say(number, arguments, arguments);
  }
  Sentence say(std::uint16_t number, const Arguments& en, const Arguments& zh) const {
    const TextTemplate& t = text(number);
    return {.text = number, .en = fill_text(t.en, en), .zh = fill_text(t.zh, zh)};
  }

  /// The entry of the names table, else the name itself in both languages.
  NameText name(std::string_view name) const {
    const auto found =
        std::find_if(names_.begin(), names_.end(), [&](const auto& n) { return n.name == name; });
    return found != names_.end() ? *found : NameText{name, name, name};
  }
  /// The entry "kind=value" of the names table, if there is one.
  std::optional<NameText> value(std::string_view kind, std::string_view value) const {
    const std::string key = std::string(kind) + "=" + std::string(value);
    const auto found =
        std::find_if(names_.begin(), names_.end(), [&](const auto& n) { return n.name == key; });
    if (found == names_.end()) return std::nullopt;
    return *found;
  }

 private:
  std::span<const TextTemplate> templates_;
  std::span<const NameText> names_;
};

std::uint16_t fact_template(Label label) {
  switch (label) {
    case Label::agreed:
      return 41;
    case Label::stated:
      return 42;
    case Label::recomputed:
      return 43;
    case Label::enforced:
      break;
  }
  return 40;
}

std::string in_quotes(std::string_view value) {
  std::string out = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

/// A value as it stands in a sentence: quoted unless it is a plain word, so that what somebody
/// stated cannot look like further facts with labels of their own.
std::string quoted_unless_plain(std::string_view value) {
  const bool is_plain = !value.empty() && std::all_of(value.begin(), value.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("_.:+-").find(c) != std::string_view::npos;
  });
  return is_plain ? std::string(value) : in_quotes(value);
}

/// The log is one person's: its id is a hash that says neither whose nor for which audience.
bool is_of_subject(LogKind kind) {
  return kind == LogKind::reads_of_subject || kind == LogKind::denials_of_subject ||
         kind == LogKind::consents_of_subject;
}

Sentence say_group(const Speaker& speaker, const FactGroup& group) {
  std::string en;
  std::string zh;
  for (const Fact& fact : group.facts) {
    const NameText name = speaker.name(fact.name);
    const auto value = speaker.value(fact.name, fact.value);
    const std::string shown = quoted_unless_plain(fact.value);
    const std::string by = quoted_unless_plain(fact.by);
    const auto by_name = speaker.value("by", fact.by);
    const Sentence piece = speaker.say(fact_template(fact.label),
                                       {{"name", std::string(name.en)},
                                        {"value", value ? std::string(value->en) : shown},
                                        {"by", by_name ? std::string(by_name->en) : by}},
                                       {{"name", std::string(name.zh)},
                                        {"value", value ? std::string(value->zh) : shown},
                                        {"by", by_name ? std::string(by_name->zh) : by}});
    en += (en.empty() ? "" : "; ") + piece.en;
    zh += (zh.empty() ? "" : "；") + piece.zh;
  }
  const std::string entry = std::to_string(group.entry.value_or(0));
  return speaker.say(group.entry ? 30 : 31, {{"entry", entry}, {"facts", en}},
                     {{"entry", entry}, {"facts", zh}});
}

struct Words {
  const Evidence& evidence;
  const Genesis& genesis;
  Speaker speaker;

  std::string time(TimeMs ms) const { return civil_time(ms, genesis.utc_offset_minutes); }

  Sentence question(const LogWindowQuestion& q) const {
    const auto log = speaker.value("log", enum_name(q.log.kind));
    ASSERT(log.has_value());
    const std::string id = q.log.id.hex();
    const std::string from = time(q.from);
    const std::string to = time(q.to);
    return speaker.say(1, {{"log", std::string(log->en)}, {"id", id}, {"from", from}, {"to", to}},
                       {{"log", std::string(log->zh)}, {"id", id}, {"from", from}, {"to", to}});
  }
  Sentence question(const OperationQuestion& q) const {
    return speaker.say(q.op_index == kWholeTransaction ? 3 : 2,
                       {{"tx_hash", q.tx_hash.hex()}, {"op_index", std::to_string(q.op_index)}});
  }
  Sentence question(const StateQuestion& q) const {
    return speaker.say(
        4, {{"key", to_hex(q.key)}, {"height", std::to_string(evidence.header.height.value)}});
  }

  /// The record of the certificate's epoch: the last one of the trail.
  const crypto::EpochRecord& epoch() const {
    return evidence.trail.empty() ? genesis.epoch : evidence.trail.back().next;
  }

  /// Whether an epoch before the certificate's was of kind raft. Requires: a trail.
  bool has_earlier_raft() const {
    const auto is_raft = [](const crypto::EpochRecord& record) {
      return record.consensus_kind == crypto::ConsensusKind::raft;
    };
    return is_raft(genesis.epoch) ||
           std::any_of(evidence.trail.begin(), evidence.trail.end() - 1,
                       [&](const TrailLink& link) { return is_raft(link.next); });
  }

  /// How many signers are nodes that the genesis names, and of how many institutions: one
  /// institution signs with all of its nodes.
  std::pair<std::size_t, std::size_t> homes_of_signers() const {
    std::set<PublicKey> signers;
    for (const crypto::IndexedSignature& signature : evidence.certificate.signatures) {
      if (signature.validator >= epoch().validators.size()) continue;
      signers.insert(epoch().validators[signature.validator]);
    }
    std::size_t known = 0;
    std::size_t institutions = 0;
    for (const Institution& institution : genesis.institutions) {
      const auto own =
          std::count_if(institution.nodes.begin(), institution.nodes.end(),
                        [&](const Node& node) { return signers.contains(node.consensus_key); });
      known += static_cast<std::size_t>(own);
      if (own > 0) ++institutions;
    }
    return {known, institutions};
  }

  void chain(std::vector<Sentence>& out) const {
    const auto [known, institutions] = homes_of_signers();
    const Header& certified =
        evidence.certified_header ? *evidence.certified_header : evidence.header;
    const crypto::Quorum quorum{epoch().validators.size()};
    const bool is_raft = epoch().consensus_kind == crypto::ConsensusKind::raft;
    out.push_back(speaker.say(is_raft ? 11 : 10,
                              {{"height", std::to_string(certified.height.value)},
                               {"time", time(certified.timestamp)},
                               {"chain", in_quotes(genesis.name)},
                               {"chain_id", evidence.chain_id.hex()},
                               {"signers", std::to_string(evidence.certificate.signatures.size())},
                               {"validators", std::to_string(quorum.validator_count)},
                               {"quorum", std::to_string(quorum.quorum(epoch().consensus_kind))},
                               {"known", std::to_string(known)},
                               {"institutions", std::to_string(institutions)}}));
    if (!evidence.certified_header) return;
    out.push_back(speaker.say(12, {{"height", std::to_string(evidence.header.height.value)},
                                   {"time", time(evidence.header.timestamp)}}));
  }

  Sentence answer(const LogWindowProofs& proofs) const {
    if (proofs.window.frontier.count == 0) {
      return speaker.say(27, {{"height", std::to_string(evidence.header.height.value)},
                              {"id", std::get<LogWindowQuestion>(evidence.question).log.id.hex()}});
    }
    const std::size_t count = evidence.facts.size();
    return speaker.say(count > 0 ? 20 : 21, {{"count", std::to_string(count)}});
  }
  Sentence answer(const OperationProofs& proofs) const {
    const auto receipt = decode<Receipt>(proofs.leaf.receipt);
    ASSERT(receipt.has_value());  // collect_facts() has read it before
    const auto number =
        static_cast<std::uint16_t>(22 + static_cast<std::uint16_t>(receipt->status));
    return speaker.say(number, {{"code", std::to_string(receipt->code)}});
  }
  Sentence answer(const StateProofs& proofs) const {
    if (!proofs.value) return speaker.say(26, {});
    return speaker.say(25, {{"bytes", std::to_string(proofs.value->size())},
                            {"hash", crypto::sha256(*proofs.value).hex()}});
  }
};

/// Days since 1970-01-01 to a civil date of the proleptic Gregorian calendar (years from March).
struct CivilDate {
  std::int64_t year;
  unsigned month;
  unsigned day;
};
CivilDate civil_date(std::int64_t days) {
  const std::int64_t shifted = days + 719468;  // days since 0000-03-01; not negative from year 0 on
  const std::int64_t era = shifted / 146097;
  const std::int64_t day_of_era = shifted - era * 146097;
  const std::int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const std::int64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t march_month = (5 * day_of_year + 2) / 153;
  const auto day = static_cast<unsigned>(day_of_year - (153 * march_month + 2) / 5 + 1);
  const auto month = static_cast<unsigned>(march_month < 10 ? march_month + 3 : march_month - 9);
  return {.year = year_of_era + era * 400 + (month <= 2 ? 1 : 0), .month = month, .day = day};
}

std::string padded(std::int64_t value, std::size_t digits) {
  std::string out = std::to_string(value);
  return out.size() < digits ? std::string(digits - out.size(), '0') + out : out;
}

}  // namespace

std::span<const TextTemplate> text_templates(std::uint16_t texts) {
  if (texts == 1) return kTemplates1;
  return {};
}

std::span<const NameText> name_texts(std::uint16_t texts) {
  if (texts == 1) return kNames1;
  return {};
}

std::string civil_time(TimeMs time, std::int16_t utc_offset_minutes) {
  constexpr std::uint64_t kYear9999Ms = 253370764800000;
  constexpr std::int64_t kDayMs = 86'400'000;
  const std::int64_t offset = utc_offset_minutes;
  if (time.value >= kYear9999Ms || offset < -14 * 60 || offset > 14 * 60)
    return std::to_string(time.value) + " ms";
  const std::int64_t local = static_cast<std::int64_t>(time.value) + offset * 60'000;
  const std::int64_t days = (local >= 0 ? local : local - (kDayMs - 1)) / kDayMs;
  const std::int64_t of_day = local - days * kDayMs;
  const CivilDate date = civil_date(days);
  const std::int64_t zone = offset < 0 ? -offset : offset;
  return padded(date.year, 4) + "-" + padded(date.month, 2) + "-" + padded(date.day, 2) + "T" +
         padded(of_day / 3'600'000, 2) + ":" + padded(of_day / 60'000 % 60, 2) + ":" +
         padded(of_day / 1000 % 60, 2) + "." + padded(of_day % 1000, 3) + (offset < 0 ? "-" : "+") +
         padded(zone / 60, 2) + ":" + padded(zone % 60, 2);
}

std::vector<Sentence> evidence_words(const Evidence& evidence, const Genesis& genesis) {
  const Words words{.evidence = evidence, .genesis = genesis, .speaker = Speaker(evidence.texts)};
  std::vector<Sentence> out;
  out.push_back(std::visit([&](const auto& question) { return words.question(question); },
                           evidence.question));
  words.chain(out);
  out.push_back(
      std::visit([&](const auto& proofs) { return words.answer(proofs); }, evidence.proofs));
  for (const FactGroup& group : evidence.facts) out.push_back(say_group(words.speaker, group));
  return out;
}

std::vector<Sentence> evidence_limits(const Evidence& evidence, const Genesis& genesis) {
  const Words words{.evidence = evidence, .genesis = genesis, .speaker = Speaker(evidence.texts)};
  const Speaker& speaker = words.speaker;
  std::vector<Sentence> out;
  const auto say = [&](std::uint16_t number) { out.push_back(speaker.say(number, {})); };
  say(60);
  if (const auto* window = std::get_if<LogWindowQuestion>(&evidence.question)) {
    say(61);
    out.push_back(
        speaker.say(62, {{"from", words.time(window->from)}, {"to", words.time(window->to)}}));
    if (is_of_subject(window->log.kind)) say(70);
  } else if (std::holds_alternative<OperationQuestion>(evidence.question)) {
    say(63);
  } else {
    out.push_back(speaker.say(64, {{"height", std::to_string(evidence.header.height.value)}}));
  }
  say(65);
  if (!std::holds_alternative<StateQuestion>(evidence.question)) say(71);
  say(66);
  if (genesis.subject_id_scheme == 0) say(67);
  const crypto::Quorum quorum{words.epoch().validators.size()};
  const bool is_raft = words.epoch().consensus_kind == crypto::ConsensusKind::raft;
  out.push_back(
      speaker.say(is_raft ? 69 : 68, {{"faulty", std::to_string(quorum.faulty_max())},
                                      {"validators", std::to_string(quorum.validator_count)}}));
  if (evidence.trail.empty()) return out;
  out.push_back(speaker.say(72, {{"changes", std::to_string(evidence.trail.size())}}));
  if (words.has_earlier_raft()) say(73);
  return out;
}

}  // namespace baolian::ledger
