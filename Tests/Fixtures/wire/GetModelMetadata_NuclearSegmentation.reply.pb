

NuclearSegmentation‹
signature_defù
6type.googleapis.com/tensorflow.serving.SignatureDefMap¾
>
__saved_model_init_op%#
__saved_model_init_op

NoOp
û
serving_defaultç
E
input_0:
serving_default_input_0:0ÿÿÿÿÿÿÿÿÿ€€@

semantic_12
PartitionedCall:1ÿÿÿÿÿÿÿÿÿ€€@

semantic_02
PartitionedCall:0ÿÿÿÿÿÿÿÿÿ€€tensorflow/serving/predict