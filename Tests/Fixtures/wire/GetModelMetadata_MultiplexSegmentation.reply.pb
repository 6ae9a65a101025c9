

MultiplexSegmentation	
signature_defý
6type.googleapis.com/tensorflow.serving.SignatureDefMapÂ
>
__saved_model_init_op%#
__saved_model_init_op

NoOp
ÿ
serving_defaultë
E
input_0:
serving_default_input_0:0ÿÿÿÿÿÿÿÿÿ€€@

semantic_32
PartitionedCall:3ÿÿÿÿÿÿÿÿÿ€€@

semantic_02
PartitionedCall:0ÿÿÿÿÿÿÿÿÿ€€@

semantic_12
PartitionedCall:1ÿÿÿÿÿÿÿÿÿ€€@

semantic_22
PartitionedCall:2ÿÿÿÿÿÿÿÿÿ€€tensorflow/serving/predict